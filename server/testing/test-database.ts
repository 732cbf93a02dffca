import { randomBytes } from 'node:crypto'
import { connect } from '../db/connect.ts'
import { type Database, makeDatabase } from '../db/database.ts'
import { openSession } from '../db/session.ts'
import { silentLog } from '../log.ts'
import type { DatabaseOptions, Sql } from '../plugin/sql.ts'
import { migratedTemplate } from './migrated-template.ts'
import { sharedTestPostgres } from './postgres.ts'

/** A database of a test's own. */
export interface TestDatabase {
  readonly options: DatabaseOptions
  /** Opens it as a node would. */
  open(): Promise<Database>
  /** Removes it, ending whatever is still connected. */
  drop(): Promise<void>
}

/**
 * Makes a database in the Postgres that all tests share: an empty one; or, `migrated`, one with the core's tables, which
 * saves a node most of its start.
 */
export async function createTestDatabase({ migrated = false } = {}): Promise<TestDatabase> {
  const server = await sharedTestPostgres()
  const name = `test_${randomBytes(6).toString('hex')}`
  const from = migrated ? `template ${await migratedTemplate(server)}` : ''
  await administer(server, `create database ${name} ${from} strategy file_copy`)
  const options = { ...server, database: name }
  return {
    options,
    open: async () => makeDatabase(`test database ${name}`, options, await openSession(options, silentLog)),
    drop: () => administer(server, `drop database if exists ${name} with (force)`),
  }
}

let administrator: Sql | undefined

/** One connection for all databases that are made at a time: a new one for each would cost as much as the database. */
async function administer(server: DatabaseOptions, statement: string): Promise<void> {
  administrator ??= connect(server, { max: 1, idleSeconds: 1 })
  await administrator.unsafe(statement)
}
