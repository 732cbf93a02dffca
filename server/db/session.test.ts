import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../log.ts'
import { until } from '../testing/program.ts'
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts'
import { connect } from './connect.ts'
import { type DatabaseStatus, openSession } from './session.ts'

let database: TestDatabase
beforeEach(async () => {
  database = await createTestDatabase()
})
afterEach(() => database.drop())

/** Ends the session, as a broken network would. */
async function breakSessions(): Promise<void> {
  const sql = connect(database.options, { max: 1 })
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name like 'deaios process%' and datname = current_database()`
  await sql.end()
}

describe('the session with a database', () => {
  it('tells when it breaks, and is opened again', async () => {
    const session = await openSession(database.options, silentLog)
    const seen: DatabaseStatus['status'][] = []
    session.onChange(({ status }) => seen.push(status))
    await breakSessions()
    await until(() => seen.length === 2, 'down and up')
    expect(seen).toEqual(['down', 'up'])
    await session.close()
  })

  it('is one of several: nodes share a database', async () => {
    const first = await openSession(database.options, silentLog)
    const second = await openSession(database.options, silentLog)
    expect([first.status(), second.status()]).toEqual([{ status: 'up' }, { status: 'up' }])
    await first.close()
    expect(second.status()).toEqual({ status: 'up' })
    await second.close()
  })
})
