import type { Principal } from '../../schema/index.ts'
import type { SqlOrTransaction, Transaction } from './sql.ts'

/** What is signed for somebody. */
export interface CustodyRequest {
  /** Begins with a domain, `deaios/<kind>/1\0`, so that a signature of one kind never passes for another. */
  readonly message: Uint8Array
  /** The calls of ledger modules that it makes, like `account.credit`. The key that asks must be allowed them all. */
  readonly calls: readonly string[]
  /** The most that it can cost, in units, fees included. It counts against the caps of the key that asks. */
  readonly spends: bigint
}

export interface CustodySignature {
  /** 64 bytes; by the account that the principal acts for. */
  readonly signature: Uint8Array
  /** What was counted, for `settle`. */
  readonly spending: bigint
}

/** Signs for callers whose account's secret the node keeps. The secret itself is never given out. */
export interface Custody {
  /**
   * Signs for the caller, within its key's spending caps. What is spent is counted in the caller's transaction: store
   * what was signed in the same one, and let it out of the process only after that has committed.
   * @throws CustodyError; the transaction can then only be rolled back
   */
  sign(tx: Transaction, principal: Principal, request: CustodyRequest): Promise<CustodySignature>

  /**
   * Gives back what was counted beyond `spent`, once it is certain that no more can be spent by what was signed. Once
   * for each signature; later calls do nothing.
   */
  settle(tx: SqlOrTransaction, spending: bigint, spent: bigint): Promise<void>
}

export type CustodyErrorCode =
  | 'CALL_NOT_ALLOWED'
  | 'KEYSTORE_UNAVAILABLE'
  | 'KEY_NOT_VALID'
  | 'NOT_CUSTODIAL'
  | 'SCOPE_MISSING'
  | 'SPENDING_CAP'

/** Why the node does not sign for a caller. The message is for clients. */
export class CustodyError extends Error {
  override readonly name = 'CustodyError'
  readonly code: CustodyErrorCode

  constructor(code: CustodyErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** A privileged action, for the audit log. */
export interface AuditEntry {
  /** Like `retryJob`. */
  readonly action: string
  /** What it was done to; no secret. */
  readonly target?: string
  /** REFUSED with a `code`, or DONE if absent. */
  readonly code?: string
  /** Whatever explains it; no secrets. */
  readonly details?: Readonly<Record<string, string | number | boolean | null | readonly string[]>>
}

/** The log of who did what that needs a privilege. */
export interface Audit {
  /** Writes an entry, in the transaction of what was done: there is one if and only if that was. */
  record(tx: SqlOrTransaction, principal: Principal, entry: AuditEntry): Promise<void>
}
