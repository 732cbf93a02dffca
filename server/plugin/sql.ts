import type postgres from 'postgres'

/** Postgres types beyond the defaults: `int8` is a bigint in JavaScript. */
export type SqlTypes = { bigint: bigint }

/** A pool of connections (postgres.js). `int8` columns read as bigint, `bytea` as Buffer, `timestamptz` as Date. */
export type Sql = postgres.Sql<SqlTypes>

/** The same inside `sql.begin(async tx => ...)`. */
export type Transaction = postgres.TransactionSql<SqlTypes>

/** Where a statement may run: in a transaction, or on its own. */
export type SqlOrTransaction = Sql | Transaction

/**
 * How to reach the database, as plain data: it can be posted to a worker thread, which opens its own connections
 * with `connect(options)`.
 */
export interface DatabaseOptions {
  /** A host name, or the folder of a unix socket. */
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password?: string
  readonly ssl?: 'require' | 'prefer' | 'verify-full'
  /** The Postgres schemas that unqualified names are looked up in. */
  readonly searchPath: readonly string[]
}
