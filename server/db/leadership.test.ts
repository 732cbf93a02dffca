import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../log.ts'
import type { Sql } from '../plugin/sql.ts'
import { createTestDatabase, type TestDatabase } from '../testing/index.ts'
import { until } from '../testing/program.ts'
import { connect } from './connect.ts'
import { type DatabaseStatus, takeLeadership } from './leadership.ts'

let database: TestDatabase
beforeEach(async () => {
  database = await createTestDatabase()
})
afterEach(() => database.drop())

/** Ends the session that holds the lock, as a broken network would; another may have queued up for it before. */
async function breakSession(other?: Sql): Promise<void> {
  const sql = connect(database.options, { max: 1 })
  const waiting = other?.unsafe("select pg_advisory_lock(x'646561'::int, x'696f73'::int)")
  const taken = waiting?.execute()
  if (taken !== undefined)
    await until(async () => (await sql`select 1 from pg_locks where not granted`).count === 1, 'the other waits')
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name like 'deaios process%' and datname = current_database()`
  await taken
  await sql.end()
}

describe('the leadership of a database', () => {
  it('is given to one node only, which the other names', async () => {
    const first = await takeLeadership(database.options, silentLog)
    await expect(takeLeadership(database.options, silentLog)).rejects.toMatchObject({
      code: 'DATABASE_IN_USE',
      message: expect.stringMatching(`is led by deaios process ${process.pid} on .*; stop it, or use another database`),
    })
    await first.release()
    await (await takeLeadership(database.options, silentLog)).release()
  })

  it('is taken again after the connection broke', async () => {
    const leadership = await takeLeadership(database.options, silentLog)
    const seen: DatabaseStatus['status'][] = []
    leadership.onChange(({ status }) => seen.push(status))
    await breakSession()
    await until(() => seen.length === 2, 'down and up')
    expect(seen).toEqual(['down', 'up'])
    await leadership.release()
  })

  it('is lost for good if another node took it meanwhile', async () => {
    const leadership = await takeLeadership(database.options, silentLog)
    const seen: DatabaseStatus[] = []
    leadership.onChange((status) => seen.push(status))
    const other = connect(database.options, { max: 1 })
    await breakSession(other)
    await until(() => leadership.status().status === 'lost', 'lost')
    expect(seen.map(({ status }) => status)).toEqual(['down', 'lost'])
    await leadership.release()
    await other.end()
  })
})
