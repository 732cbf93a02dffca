import { randomBytes } from 'node:crypto'
import { connect } from '../db/connect.ts'
import { type Database, makeDatabase } from '../db/database.ts'
import { openSession } from '../db/session.ts'
import { silentLog } from '../log.ts'
import type { DatabaseOptions } from '../plugin/sql.ts'
import { sharedTestPostgres } from './postgres.ts'

/** A database of a test's own. */
export interface TestDatabase {
  readonly options: DatabaseOptions
  /** Opens it as a node would. */
  open(): Promise<Database>
  /** Removes it, ending whatever is still connected. */
  drop(): Promise<void>
}

/** Makes an empty database in the Postgres that all tests share. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = await sharedTestPostgres()
  const name = `test_${randomBytes(6).toString('hex')}`
  await administer(server, `create database ${name} strategy file_copy`)
  const options = { ...server, database: name }
  return {
    options,
    open: async () => makeDatabase(`test database ${name}`, options, await openSession(options, silentLog)),
    drop: () => administer(server, `drop database if exists ${name} with (force)`),
  }
}

async function administer(server: DatabaseOptions, statement: string): Promise<void> {
  const sql = connect(server, { max: 1 })
  try {
    await sql.unsafe(statement)
  } finally {
    await sql.end({ timeout: 1 })
  }
}
