/** Why a call was refused. Modules add their own codes; these are the engine's. */
export type EngineCode =
  | 'UNKNOWN_CALL'
  | 'BAD_ARGUMENTS'
  | 'WRONG_OWNER'
  | 'NOT_DERIVED'
  | 'INSUFFICIENT_BALANCE'
  | 'DEPOSIT_REQUIRED'
  | 'VALUE_TOO_LARGE'
  | 'UNDECLARED_SEND'
  | 'MODULE_FAULT'

/**
 * Thrown by a module's `apply` to refuse a call: its cell is reverted, the value bounces, and the code and message
 * reach whoever sent it. Anything else that is thrown counts as a fault of the module (MODULE_FAULT).
 */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly code: string

  constructor(code: EngineCode | (string & {}), message: string) {
    super(message)
    this.code = code
  }
}
