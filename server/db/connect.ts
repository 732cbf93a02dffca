import postgres from 'postgres'
import type { DatabaseOptions, Sql } from '../plugin/sql.ts'
import { poolOf } from './pool/pool.ts'

const CONNECT_SECONDS = 10

/** How a pool differs from the default. */
export interface PoolOptions {
  /** Connections at most; 10 if absent. */
  readonly max?: number
  /** Seconds until an unused connection is closed; never if absent. */
  readonly idleSeconds?: number
  /** Seconds to wait for a connection; 10 if absent. */
  readonly connectSeconds?: number
  /** What pg_stat_activity shows. */
  readonly applicationName?: string
  /** Called whenever one of the connections has closed. */
  readonly onClose?: () => void
}

/**
 * A pool of connections, opened as they are needed and again after a failure. Works in worker threads.
 * A statement on a dead database fails with the connection's error as soon as it has its turn to connect, within a second
 * where nothing else waits: callers decide about trying again. A statement whose connection ends under it fails at once;
 * it may have run then.
 */
export function connect(options: DatabaseOptions, pool: PoolOptions = {}): Sql {
  const maker = postgres({
    host: options.host,
    port: options.port,
    database: options.database,
    user: options.user,
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(options.ssl === undefined ? {} : { ssl: options.ssl }),
    max: 1,
    connect_timeout: pool.connectSeconds ?? CONNECT_SECONDS,
    types: { bigint: postgres.BigInt },
    onnotice: () => undefined,
    connection: {
      application_name: pool.applicationName ?? `deaios ${process.pid}`,
      search_path: options.searchPath.map(quoteIdentifier).join(', '),
    },
  })
  return poolOf(maker, {
    database: options,
    max: pool.max ?? 10,
    connectMs: (pool.connectSeconds ?? CONNECT_SECONDS) * 1000,
    ...(pool.idleSeconds === undefined ? {} : { idleMs: pool.idleSeconds * 1000 }),
    ...(pool.onClose === undefined ? {} : { onClose: pool.onClose }),
  })
}

/** A name as it stands in SQL text. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`
