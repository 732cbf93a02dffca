import { setTimeout as sleep } from 'node:timers/promises'
import { type ConfigFlags, loadConfig, type ResolvedConfig } from '../../config.ts'
import { connect } from '../../db/connect.ts'
import { type DataLock, lockDataFolder } from '../../db/data-lock.ts'
import { CLUSTER_PORT, CLUSTER_USER, socketFolder } from '../../db/embedded/cluster.ts'
import { findIdentity } from '../../db/embedded/identity.ts'
import { startEmbeddedPostgres } from '../../db/embedded/supervisor.ts'
import { codeOf, DatabaseError } from '../../db/errors.ts'
import { exclusively } from '../../db/exclusive.ts'
import { parseDatabaseUrl } from '../../db/external.ts'
import { CORE_MIGRATIONS, CORE_SCHEMA, migrate } from '../../db/migrate.ts'
import { silentLog } from '../../log.ts'
import type { DatabaseOptions, Sql } from '../../plugin/sql.ts'

/** A running node that has just been started needs so long until its database answers. */
const PATIENCE_MS = 30_000

/** Where the node is, as `start` takes it. */
export interface NodeFlags {
  readonly data?: string
  readonly config?: string
}

/**
 * Works on the tables of a node, whether it runs or not: those of its DATABASE_URL; or of its data folder's Postgres,
 * which is the running node's, or else is started for as long as this takes.
 * @param schema whose tables unqualified names mean; the core's if absent
 */
export async function withNodeDatabase<T>(
  flags: NodeFlags,
  work: (sql: Sql, config: ResolvedConfig) => Promise<T>,
  schema: string = CORE_SCHEMA,
): Promise<T> {
  const given: ConfigFlags = flags
  const config = await loadConfig(given)
  if (config.databaseUrl !== undefined) return useDatabase(parseDatabaseUrl(config.databaseUrl), schema, config, work)
  const lock = lockIfFree(config.dataDir)
  if (lock === undefined) return useDatabase(await runningNode(config.dataDir), schema, config, work)
  try {
    const postgres = await startEmbeddedPostgres({ dataDir: config.dataDir, log: silentLog })
    try {
      return await useDatabase(postgres.options, schema, config, work)
    } finally {
      await postgres.stop()
    }
  } finally {
    lock.release()
  }
}

async function useDatabase<T>(
  options: DatabaseOptions,
  schema: string,
  config: ResolvedConfig,
  work: (sql: Sql, config: ResolvedConfig) => Promise<T>,
): Promise<T> {
  const sql = connect({ ...options, searchPath: [schema] }, { max: 2 })
  try {
    if (schema === CORE_SCHEMA) await exclusively(sql, () => migrate(sql, CORE_SCHEMA, CORE_MIGRATIONS))
    return await work(sql, config)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** The data folder's lock; undefined if a node runs there. */
function lockIfFree(dataDir: string): DataLock | undefined {
  try {
    return lockDataFolder(dataDir)
  } catch (error) {
    if (error instanceof DatabaseError && error.code === 'DATA_LOCKED') return undefined
    throw error
  }
}

async function runningNode(dataDir: string): Promise<DatabaseOptions> {
  const host = socketFolder(dataDir, findIdentity())
  const options = { host, port: CLUSTER_PORT, database: 'postgres', user: CLUSTER_USER, searchPath: [CORE_SCHEMA] }
  const sql = connect(options, { max: 1, connectSeconds: 5 })
  try {
    for (const until = performance.now() + PATIENCE_MS; ; ) {
      try {
        await sql`select 1`
        return options
      } catch (error) {
        const isStarting = ['ENOENT', 'ECONNREFUSED', '57P03'].includes(codeOf(error) ?? '')
        if (!isStarting || performance.now() > until) throw error
        await sleep(100)
      }
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}
