/**
 * - `UNREACHABLE`: no answer, or one that says to come back later (`reason` then says why, like OVERLOADED). What was
 *   asked for may or may not have been done.
 * - `BAD_RESPONSE`: an answer that is none of this protocol.
 * - `GRAPHQL`: the server answered with errors; `reason` is the code of the first.
 * - `REFUSED`: a transaction was not taken; `reason` says why. It did and will do nothing.
 * - `NOT_INCLUDED`: a transaction ended without being included; `reason` is EXPIRED, REPLACED or EVICTED.
 * - `TRANSACTION_UNKNOWN`: the server does not know the transaction: submit it (again).
 * - `DISCONNECTED`: a subscription's connection ended; `reason` is the server's, where it gave one.
 * - `SLOW_CONSUMER`: a subscription delivered faster than it was read.
 * - `TIMEOUT`: it took longer than it was given.
 * - `KEY_MISSING`: it takes a key pair, and the client was made without one.
 * - `BAD_KEY`: no key pair can be made of this.
 * - `PROOF_INVALID`: what the node answered does not follow from what is trusted; `reason` says what is wrong: that of a
 *   ProofFault, or GENESIS, VOTES, LINK, STALE, MISSING. Ask another node.
 * - `FORK`: the validators voted for two root blocks of one height, which `reason` names. Nothing is trusted any more.
 */
export type ClientErrorCode =
  | 'UNREACHABLE'
  | 'BAD_RESPONSE'
  | 'GRAPHQL'
  | 'REFUSED'
  | 'NOT_INCLUDED'
  | 'TRANSACTION_UNKNOWN'
  | 'DISCONNECTED'
  | 'SLOW_CONSUMER'
  | 'TIMEOUT'
  | 'KEY_MISSING'
  | 'BAD_KEY'
  | 'PROOF_INVALID'
  | 'FORK'

export interface ClientErrorOptions extends ErrorOptions {
  readonly reason?: string | undefined
  /** 0x-hex id of the transaction that it is about. */
  readonly transaction?: string | undefined
}

/** All that this SDK throws, but for the `reason` of an AbortSignal. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: ClientErrorCode
  /** The server's own code, like NONCE_USED or SHARD_UNKNOWN. */
  readonly reason: string | undefined
  readonly transaction: string | undefined

  constructor(code: ClientErrorCode, message: string, options: ClientErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.reason = options.reason
    this.transaction = options.transaction
  }
}

/** True for a ClientError with one of these codes. */
export function isClientError(error: unknown, ...codes: readonly ClientErrorCode[]): error is ClientError {
  return error instanceof ClientError && codes.includes(error.code)
}
