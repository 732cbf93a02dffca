import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { connect } from '../db/connect.ts'
import { CORE_MIGRATIONS, migrate } from '../db/migrate.ts'
import { silentLog } from '../log.ts'
import { type EventRecord, type Sql, topic } from '../plugin.ts'
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts'
import { createEvents, type EventsService, encodeBatch } from './index.ts'

const Counted = topic('test.counted', z.object({ n: z.int() }))
const Named = topic('test.named', z.object({ name: z.string() }))
const topics = [Counted, Named]

/** What a server process has of its own. */
interface Process {
  readonly sql: Sql
  readonly events: EventsService
}

let database: TestDatabase
let one: Process
let other: Process

async function start(name: string): Promise<Process> {
  const options = { ...database.options, searchPath: ['core'] }
  const sql = connect(options, { max: 4, applicationName: name })
  const events = createEvents({ sql, log: silentLog, topics })
  await events.start()
  return { sql, events }
}

async function stop({ sql, events }: Process): Promise<void> {
  await events.stop()
  await sql.end({ timeout: 1 })
}

beforeAll(async () => {
  database = await createTestDatabase()
  const sql = connect({ ...database.options, searchPath: ['core'] }, { max: 1 })
  await migrate(sql, 'core', CORE_MIGRATIONS)
  await sql.end()
})
afterAll(() => database.drop())
beforeEach(async () => {
  one = await start('one')
  other = await start('other')
})
afterEach(async () => {
  await stop(one)
  await stop(other)
})

async function take<P>(stream: AsyncIterable<EventRecord<P>>, howMany: number): Promise<EventRecord<P>[]> {
  const taken: EventRecord<P>[] = []
  for await (const event of stream) if (taken.push(event) === howMany) break
  return taken
}

const numbersOf = (records: readonly EventRecord<{ n: number }>[]) => records.map(({ payload }) => payload.n)
const count = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)

/** As a shard worker writes a block: nobody is notified, and only its own process is woken. */
async function writeSilently({ sql, events }: Process, n: number): Promise<void> {
  await sql`INSERT INTO event_batch (topics, count, body) VALUES (${[Counted.id]}, 1, ${encodeBatch([[Counted.id, { n }]])})`
  events.wake()
}

const listeners = (name: string) => one.sql<{ pid: number }[]>`
  SELECT pid FROM pg_stat_activity WHERE application_name = ${name} AND query ILIKE 'listen%'`

describe('two processes on one database', () => {
  test('see what either writes, each event once and in the same order', async () => {
    const readers = [one, other].map(({ events }) => take(events.subscribe(Counted), 200))
    const writers = [one, other].map(async ({ sql, events }, w) => {
      for (let n = 0; n < 100; n++) await events.publish(sql, Counted, { n: 2 * n + w })
    })
    await Promise.all(writers)
    const [first = [], second = []] = await Promise.all(readers)
    expect(first.map(({ cursor }) => cursor)).toEqual(second.map(({ cursor }) => cursor))
    expect(numbersOf(first).sort((a, b) => a - b)).toEqual(count(0, 200))
  })

  test('hear at once of what the other has placed, however it was written', async () => {
    const reader = other.events.subscribe(Counted)[Symbol.asyncIterator]()
    let next = reader.next()
    // By the poll alone, which is there for lost notifications, so many rounds would take longer than the test may.
    for (const n of count(0, 40)) {
      await writeSilently(one, n)
      const { value } = await next
      expect(value?.payload).toEqual({ n })
      next = reader.next()
    }
    await reader.return?.()
    await next
  })

  test('a cursor of one is good at the other', async () => {
    await one.events.publishAll(
      one.sql,
      count(0, 10).map((n) => [Counted, { n }]),
    )
    const { beginning } = one.events
    const all = await take(one.events.subscribe(Counted, { after: beginning }), 10)
    const [fourth, fifth] = all.slice(3)
    const [next] = await take(other.events.subscribe(Counted, { after: fourth?.cursor ?? beginning }), 1)
    expect(next).toEqual(fifth)
  })

  test('a lost listener costs time, not events, and is replaced', async () => {
    const reader = take(other.events.subscribe(Counted), 3)
    await writeSilently(one, 1)
    for (const { pid } of await listeners('other')) await one.sql`SELECT pg_terminate_backend(${pid})`
    await writeSilently(one, 2)
    await writeSilently(one, 3)
    expect(numbersOf(await reader)).toEqual([1, 2, 3])
    await expect.poll(async () => (await listeners('other')).length).toBe(1)
  })
})

describe('events that are published together', () => {
  test('keep their order, across topics, and are there if their transaction commits', async () => {
    const stream = take(one.events.subscribe([Counted.id, Named.id]), 3)
    await one.sql
      .begin(async (tx) => {
        await one.events.publishAll(tx, [[Counted, { n: 0 }]])
        throw new Error('the caller changes its mind')
      })
      .catch(() => undefined)
    await one.sql.begin((tx) =>
      one.events.publishAll(tx, [
        [Counted, { n: 1 }],
        [Named, { name: 'two' }],
        [Counted, { n: 3 }],
      ]),
    )
    expect((await stream).map(({ payload }) => payload)).toEqual([{ n: 1 }, { name: 'two' }, { n: 3 }])
  })

  test('are all checked before any is written', async () => {
    const before = await one.sql`SELECT id FROM event_batch`
    const events = one.events.publishAll(one.sql, [
      [Counted, { n: 1 }],
      [Counted, { n: 1.5 }],
    ])
    await expect(events).rejects.toThrow()
    expect(await one.sql`SELECT id FROM event_batch`).toHaveLength(before.length)
  })

  test('are cut into rows that a reader can hold', async () => {
    const stream = take(one.events.subscribe(null), 2503)
    await one.events.publishAll(
      one.sql,
      count(0, 2500).map((n) => [Counted, { n }]),
    )
    const large = ['a', 'b', 'c'].map((letter) => letter.repeat(600_000))
    await one.events.publishAll(
      one.sql,
      large.map((name) => [Named, { name }]),
    )
    const seen = await stream
    expect(seen.slice(0, 2500).map(({ payload }) => payload)).toEqual(count(0, 2500).map((n) => ({ n })))
    expect(seen.slice(2500).map(({ payload }) => payload)).toEqual(large.map((name) => ({ name })))
    const rows = await one.sql<{ bytes: number; count: number }[]>`
      SELECT octet_length(body) AS bytes, count FROM event_batch ORDER BY id DESC LIMIT 6`
    expect(Math.max(...rows.map(({ bytes }) => bytes))).toBeLessThan(2 << 20)
    expect(Math.max(...rows.map(({ count }) => count))).toBe(1000)
  })

  test('none are nothing', async () => {
    await one.events.publishAll(one.sql, [])
  })
})
