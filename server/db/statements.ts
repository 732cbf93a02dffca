import pg from 'pg'
import type { DatabaseOptions } from '../plugin/sql.ts'

/** What a parameter may be; bytes travel as they are, not as hex text. */
export type StatementParameter = Uint8Array | string | number | boolean | null

/** Named statements, each prepared once on a connection. */
export interface Statements {
  /**
   * Runs one statement, which is a transaction of its own.
   * @param name identifies the text; a connection prepares it once
   * @throws the server's error (`code` is its SQLSTATE), or one with code CONNECTION_LOST: it may have run then.
   */
  run<Row extends object>(name: string, text: string, parameters: readonly StatementParameter[]): Promise<Row[]>
  end(): Promise<void>
}

/** The connection broke: whether the statement ran is not known. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError'
  readonly code = 'CONNECTION_LOST'
}

/**
 * A pool for statements with large binary parameters. The general pool (`connect`) sends every parameter as text, which
 * doubles bytes and costs both sides a conversion; here it is one copy.
 */
export function connectStatements(
  options: DatabaseOptions,
  pool: { readonly max: number; readonly applicationName: string },
): Statements {
  const { host, port, database, user, password, ssl, searchPath } = options
  const connections = new pg.Pool({
    host,
    port,
    database,
    user,
    ...(password === undefined ? {} : { password }),
    ...(ssl === undefined || ssl === 'prefer' ? {} : { ssl: { rejectUnauthorized: ssl === 'verify-full' } }),
    options: `-c search_path=${searchPath.map((schema) => schema.replaceAll(/[\\ ]/g, '\\$&')).join(',')}`,
    max: pool.max,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 0,
    application_name: pool.applicationName,
  })
  // A connection that breaks while unused is replaced by the next statement; without a listener it would end the thread.
  connections.on('error', () => undefined)
  return {
    async run<Row extends object>(name: string, text: string, parameters: readonly StatementParameter[]) {
      try {
        const values = parameters.map((value) => (value instanceof Uint8Array ? asBuffer(value) : value))
        const { rows } = await connections.query<Row>({ name, text, values })
        return rows
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code !== undefined) throw error
        throw new ConnectionLostError(`the connection to the database broke: ${String(error)}`, { cause: error })
      }
    },
    end: () => connections.end(),
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
