import { createHash } from 'node:crypto'
import type { ConstructorOptions, PgBoss } from 'pg-boss'
import { DatabaseError, messageOf } from '../db/errors.ts'
import type { Log } from '../plugin/host.ts'
import type { DatabaseOptions } from '../plugin/sql.ts'

/** The Postgres schema of pg-boss's tables. */
const BOSS_SCHEMA = 'pgboss'

/** What is notified with a queue's name when work that can run at once was put in. */
export const BOSS_CHANNEL: string = `pgboss_${createHash('sha224').update(BOSS_SCHEMA).digest('hex').slice(0, 24)}`

/** Connections of its own pool: runs are claimed and settled by it. */
const POOL_SIZE = 4

/**
 * Starts pg-boss, which keeps the runs of cron and queue jobs; its tables are made or brought up to date. It is loaded
 * here, because a node without such jobs needs nothing of it. The runs themselves are worked off by `QueueWorker`:
 * pg-boss's own workers wait for a poll after each single run.
 * @throws DatabaseError
 */
export async function startBoss(options: DatabaseOptions, log: Log): Promise<PgBoss> {
  const { PgBoss } = await import('pg-boss')
  const boss = new PgBoss({
    ...connectionOf(options),
    schema: BOSS_SCHEMA,
    max: POOL_SIZE,
    application_name: `deaios jobs ${process.pid}`,
    // It only has to remove what is long past its time: `Watch` looks for dead processes, and oftener.
    supervise: true,
    maintenanceIntervalSeconds: 3600,
    schedule: false,
    registerInstance: false,
    openTelemetry: { enabled: false },
  })
  boss.on('error', (error) => log.warn({ error }, 'the job store reports an error'))
  boss.on('warning', ({ message }) => log.warn({ reason: message }, 'the job store warns'))
  try {
    // Several nodes may make the tables at once, and all but one are told to try again.
    return await boss.start({ attempts: 4 })
  } catch (error) {
    await boss.stop({ graceful: false })
    throw new DatabaseError(
      'MIGRATION_FAILED',
      `the tables of the job store (schema ${BOSS_SCHEMA}) cannot be made: ${messageOf(error)}; ` +
        'see that the database user may create schemas',
      error,
    )
  }
}

/** Makes pg-boss's tables, for a database that others are copied from. */
export async function makeJobStore(options: DatabaseOptions, log: Log): Promise<void> {
  const boss = await startBoss(options, log)
  await boss.stop({ graceful: false })
}

function connectionOf({ host, port, database, user, password, ssl }: DatabaseOptions): ConstructorOptions {
  return {
    host,
    port,
    database,
    user,
    ...(password === undefined ? {} : { password }),
    ...(ssl === undefined || ssl === 'prefer' ? {} : { ssl: { rejectUnauthorized: ssl === 'verify-full' } }),
  }
}
