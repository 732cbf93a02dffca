import { createHash } from 'node:crypto'
import { connect } from '../db/connect.ts'
import { CORE_MIGRATIONS, CORE_SCHEMA, migrate, readMigrations } from '../db/migrate.ts'
import { makeJobStore } from '../jobs/boss.ts'
import { silentLog } from '../log.ts'
import type { DatabaseOptions, Sql } from '../plugin/sql.ts'

/** Names the lock under which the template is made; any number that nothing else uses. */
const LOCK = 7_206_113

let known: Promise<string> | undefined

/**
 * The database that those of test hosts are copies of: it has the core's tables and the job store. Made once in a Postgres, by whichever
 * test process comes first.
 *
 * @param server the Postgres that all tests share
 * @returns its name
 */
export function migratedTemplate(server: DatabaseOptions): Promise<string> {
  known ??= makeTemplate(server)
  return known
}

async function makeTemplate(server: DatabaseOptions): Promise<string> {
  const migrations = await readMigrations(CORE_SCHEMA, CORE_MIGRATIONS)
  const hash = createHash('sha256').update(migrations.map(({ checksum }) => checksum).join())
  const name = `template_${hash.digest('hex').slice(0, 12)}`
  const admin = connect(server, { max: 1 })
  try {
    // Of the session, since a database cannot be made in a transaction; the session ends with the pool.
    await admin`select pg_advisory_lock(${LOCK})`
    if (!(await exists(admin, name))) await fill(admin, server, name)
    return name
  } finally {
    await admin.end({ timeout: 5 })
  }
}

async function exists(admin: Sql, name: string): Promise<boolean> {
  const [row] = await admin`select from pg_database where datname = ${name}`
  return row !== undefined
}

/** Under another name until it is complete: a process may die on the way. */
async function fill(admin: Sql, server: DatabaseOptions, name: string): Promise<void> {
  const draft = `${name}_draft`
  await admin.unsafe(`drop database if exists ${draft} with (force)`)
  await admin.unsafe(`create database ${draft} strategy file_copy`)
  const sql = connect({ ...server, database: draft, searchPath: [CORE_SCHEMA] }, { max: 1 })
  try {
    await migrate(sql, CORE_SCHEMA, CORE_MIGRATIONS)
    await makeJobStore({ ...server, database: draft }, silentLog)
  } finally {
    await sql.end({ timeout: 5 })
  }
  await admin.unsafe(`alter database ${draft} rename to ${name}`)
}
