import type { Log } from '../plugin/host.ts'
import type { DatabaseOptions, Sql } from '../plugin/sql.ts'
import { connect } from './connect.ts'
import { startEmbeddedPostgres } from './embedded/supervisor.ts'
import { describeDatabase, parseDatabaseUrl } from './external.ts'
import { type DatabaseSession, type DatabaseStatus, openSession } from './session.ts'

/** Connections of one plugin's pool. Together with the workers' own they stay below the server's 100. */
export const POOL_SIZE = 8

export interface OpenDatabaseOptions {
  /** Where the embedded Postgres lives; locked by the caller. */
  readonly dataDir: string
  /** A PostgreSQL 16 or later to use instead of the embedded one. */
  readonly url?: string | undefined
  readonly log: Log
}

/** The node's database. Each plugin has a Postgres schema in it. */
export interface Database {
  /** For people, without a password. */
  readonly where: string
  /** Of the server, like `18.4`. */
  readonly version: string
  /** The pool whose search_path is this schema; the same one at each call. */
  sql(schema: string): Sql
  /** For opening connections elsewhere (`connect(options)`), as plain data that a worker thread can receive. */
  options(schema: string): DatabaseOptions
  status(): DatabaseStatus
  onChange(listener: (status: DatabaseStatus) => void): () => void
  /** Ends all connections, then the embedded Postgres. */
  close(): Promise<void>
}

/** Opens the database at `url`, or starts the embedded one. Throws DatabaseError. */
export async function openDatabase({ dataDir, url, log }: OpenDatabaseOptions): Promise<Database> {
  if (url !== undefined) {
    const options = parseDatabaseUrl(url)
    return makeDatabase(describeDatabase(options), options, await openSession(options, log))
  }
  const postgres = await startEmbeddedPostgres({ dataDir, log })
  try {
    const session = await openSession(postgres.options, log)
    return makeDatabase(`embedded PostgreSQL in ${dataDir}`, postgres.options, session, () => postgres.stop())
  } catch (error) {
    await postgres.stop()
    throw error
  }
}

/** A database over a server that is already running. */
export function makeDatabase(
  where: string,
  base: DatabaseOptions,
  session: DatabaseSession,
  stopServer: () => Promise<void> = async () => undefined,
): Database {
  const pools = new Map<string, Sql>()
  const options = (schema: string): DatabaseOptions => ({ ...base, searchPath: [schema] })
  return {
    where,
    version: session.serverVersion,
    options,
    sql(schema) {
      const pool = pools.get(schema) ?? connect(options(schema), { max: POOL_SIZE })
      pools.set(schema, pool)
      return pool
    },
    status: () => session.status(),
    onChange: (listener) => session.onChange(listener),
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.end({ timeout: 5 })))
      await session.close()
      await stopServer()
    },
  }
}
