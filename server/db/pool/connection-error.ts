/**
 * - `CONNECTION_CLOSED`: the connection ended; whether the statement ran is not known.
 * - `CONNECTION_DESTROYED`: this node ended it, to end at all.
 * - `CONNECTION_ENDED`: the pool is closed.
 * - `CONNECT_TIMEOUT`: the server did not greet in time.
 * - `ROLLED_BACK`: the server ended a transaction that should be committed, and does not say why.
 * - `SSL_REFUSED`: the server does not speak TLS, and the options ask for it.
 * - `TRANSACTION_ENDED`: a statement came after the end of the transaction, or reservation, that it was made in.
 */
export type ConnectionErrorCode =
  | 'CONNECTION_CLOSED'
  | 'CONNECTION_DESTROYED'
  | 'CONNECTION_ENDED'
  | 'CONNECT_TIMEOUT'
  | 'ROLLED_BACK'
  | 'SSL_REFUSED'
  | 'TRANSACTION_ENDED'

/** A statement was not sent, or lost its connection. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  readonly code: ConnectionErrorCode

  constructor(code: ConnectionErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
