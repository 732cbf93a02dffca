export type DatabaseErrorCode =
  | 'DATA_LOCKED'
  | 'DATA_UNUSABLE'
  | 'DATABASE_UNREACHABLE'
  | 'DATABASE_URL_INVALID'
  | 'MIGRATION_CHANGED'
  | 'MIGRATION_FAILED'
  | 'MIGRATION_MISSING'
  | 'MIGRATION_NAME'
  | 'MIGRATION_ORDER'
  | 'POSTGRES_FAILED'
  | 'POSTGRES_MISSING'
  | 'POSTGRES_VERSION'

/** What can go wrong between the node and its database; the message says how to mend it. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  readonly code: DatabaseErrorCode

  constructor(code: DatabaseErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** The message of anything that was thrown. Connection errors of postgres.js may have a code and no message. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0])
  if (!(error instanceof Error)) return String(error)
  return error.message || codeOf(error) || error.name
}

/** The `code` of an error from Node or Postgres, like ECONNREFUSED or 57P03. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
