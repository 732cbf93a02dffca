import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Sql } from '../plugin/sql.ts'
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts'
import { cancellable } from './cancellable.ts'
import { connect } from './connect.ts'
import { StatementSlots } from './statement-slots.ts'
import { apart, SignalledWork, within } from './work.ts'

describe('a statement that is made for a piece of work', () => {
  let database: TestDatabase
  let watcher: Sql
  let raw: Sql
  let sql: Sql
  beforeAll(async () => {
    database = await createTestDatabase()
    const { options } = database
    watcher = connect(options, { max: 1 })
    raw = connect(options, { max: 3, applicationName: 'cancellable test' })
    sql = cancellable(raw, new StatementSlots({ slots: 3, forWork: 2, maxWaiting: 3 }))
    await raw`CREATE TABLE note (text text)`
  })
  afterAll(async () => {
    await Promise.all([raw.end({ timeout: 1 }), watcher.end({ timeout: 1 })])
    await database.drop()
  })

  const busy = async (): Promise<number> => {
    const [row] = await watcher<{ count: number }[]>`
      SELECT count(*)::integer FROM pg_stat_activity
      WHERE application_name = 'cancellable test' AND state <> 'idle'`
    return row?.count ?? 0
  }
  const begin = () => {
    const abort = new AbortController()
    const work = new SignalledWork(abort.signal)
    return { work, abort: () => abort.abort(), run: <T>(what: () => T): T => within(work, what) }
  }

  it('is like any other as long as nobody gives it up', async () => {
    const { run, work } = begin()
    const rows = await run(async () => {
      const condition = sql`WHERE n > ${1}`
      return sql`SELECT n, ${'text'}::text AS t FROM generate_series(1, 3) AS n ${condition}`
    })
    expect([...rows]).toEqual([
      { n: 2, t: 'text' },
      { n: 3, t: 'text' },
    ])
    expect(await run(async () => (await sql.unsafe('SELECT 1 AS one')).map(({ one }) => one))).toEqual([1])
    await expect(run(async () => sql`SELECT 1 / ${0}::integer`)).rejects.toMatchObject({ code: '22012' })
    expect(work.statements).toBe(3)
  })

  it('is stopped in the database when it is given up', async () => {
    const { run, abort } = begin()
    const slow = run(async () => sql`SELECT pg_sleep(30)`)
    const refused = expect(slow).rejects.toMatchObject({ code: '57014' })
    await expect.poll(busy).toBe(1)
    abort()
    await refused
    await expect.poll(busy).toBe(0)
    await expect(run(async () => sql`SELECT 1`)).rejects.toMatchObject({ code: '57014' })
    expect(await sql`SELECT 1 AS one`).toMatchObject([{ one: 1 }])
  })

  it('takes its transaction with it', async () => {
    const { run, abort } = begin()
    const transaction = run(() =>
      sql.begin(async (tx) => {
        await tx`INSERT INTO note VALUES ('never')`
        await tx.savepoint(async (inner) => inner`SELECT pg_sleep(30)`)
      }),
    )
    const refused = expect(transaction).rejects.toMatchObject({ code: '57014' })
    await expect.poll(busy).toBe(1)
    abort()
    await refused
    await expect.poll(busy).toBe(0)
    expect([...(await raw`SELECT * FROM note`)]).toEqual([])
  })

  it('waits in a line that is bounded, and leaves it without having been sent', async () => {
    const others = [begin(), begin()]
    const running = others.map(({ run }) => run(async () => sql`SELECT pg_sleep(30)`).catch(() => 'stopped'))
    await expect.poll(busy).toBe(2)
    const { run, abort } = begin()
    const waiting = [
      run(async () => sql`SELECT 1`),
      run(async () => sql`SELECT 1`),
      run(() => sql.begin(async () => 'done')),
    ]
    const refused = waiting.map((statement) => expect(statement).rejects.toMatchObject({ code: '57014' }))
    await expect(begin().run(async () => sql`SELECT 1`)).rejects.toMatchObject({ extensions: { code: 'OVERLOADED' } })
    // What the node does by itself has connections of its own.
    expect(await sql`SELECT 1 AS one`).toMatchObject([{ one: 1 }])
    abort()
    await Promise.all(refused)
    for (const other of others) other.abort()
    expect(await Promise.all(running)).toEqual(['stopped', 'stopped'])
    expect(await begin().run(async () => sql`SELECT 2 AS two`)).toMatchObject([{ two: 2 }])
  })

  it('survives what was begun for it by someone else’s request', async () => {
    const { run, abort } = begin()
    const shared = run(() => apart(async () => sql`SELECT pg_sleep(0.3), 1 AS one`))
    await expect.poll(busy).toBe(1)
    abort()
    expect(await shared).toMatchObject([{ one: 1 }])
  })

  it('never ends another’s, however many are given up at whatever moment', async () => {
    const outcomes = { kept: 0, stopped: 0 }
    const round = async (n: number): Promise<void> => {
      const { run, abort } = begin()
      const isDoomed = n % 2 === 1
      const statement = run(async () => sql`SELECT ${n}::integer AS n, pg_sleep(${(n % 5) / 1000}::float8)`)
      if (isDoomed) setTimeout(abort, n % 4)
      try {
        expect(await statement).toMatchObject([{ n }])
        outcomes.kept++
      } catch (error) {
        if (!isDoomed) throw error
        expect(error).toMatchObject({ code: '57014' })
        outcomes.stopped++
      }
    }
    const lane = async (start: number): Promise<void> => {
      for (let n = start; n < 300; n += 3) await round(n)
    }
    await Promise.all([lane(0), lane(1), lane(2)])
    expect(outcomes.kept + outcomes.stopped).toBe(300)
    expect(outcomes.kept).toBeGreaterThanOrEqual(150)
    await sleep(20)
    expect(await sql`SELECT 1 AS one`).toMatchObject([{ one: 1 }])
  })
})
