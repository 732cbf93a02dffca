import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Database, openDatabase } from '../db/database.ts'
import { CORE_MIGRATIONS, migrate } from '../db/migrate.ts'
import { type Log, type Sql, topic } from '../plugin.ts'
import { createEvents, type EventsService, encodeBatch } from './index.ts'
import { numbersOf, settle, take } from './testing.ts'

const Counted = topic('test.counted', z.object({ n: z.int() }))
const Paid = topic(
  'test.paid',
  z.object({ amount: z.bigint(), to: z.instanceof(Uint8Array), notes: z.array(z.string()) }),
)
const Short = topic('test.short', z.object({ n: z.int() }), { retention: { days: 1 } })
const topics = [Counted, Paid, Short]

const nothing = () => undefined
const quiet: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => quiet }
let dataDir: string
let database: Database
let sql: Sql
let events: EventsService

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'deaios-events-'))
  database = await openDatabase({ dataDir, log: quiet })
  sql = database.sql('core')
  await migrate(sql, 'core', CORE_MIGRATIONS)
})
afterAll(async () => {
  await database?.close()
  await rm(dataDir, { recursive: true, force: true })
})
beforeEach(async () => {
  await sql`TRUNCATE event_batch, event_pruned RESTART IDENTITY`
  await sql`UPDATE event_head SET seq = 0`
  events = createEvents({ sql, log: quiet, topics })
  await events.start()
})
afterEach(() => events.stop())

const count = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)

async function publish(...numbers: number[]): Promise<void> {
  for (const n of numbers) await events.publish(sql, Counted, { n })
}

/** A block's worth of events in one row, as a shard worker writes it. */
async function writeBatch(numbers: readonly number[], id = Counted.id): Promise<void> {
  const body = encodeBatch(numbers.map((n) => [id, { n }] as const))
  await sql`INSERT INTO event_batch (shard, height, topics, count, body) VALUES ('0:', 7, ${[id]}, ${numbers.length}, ${body})`
  events.wake()
}

const settled = () => settle(sql, events)

describe('an event', () => {
  test('exists if and only if its transaction commits', async () => {
    await sql.begin((tx) => events.publish(tx, Counted, { n: 1 }))
    const failed = sql.begin(async (tx) => {
      await events.publish(tx, Counted, { n: 2 })
      throw new Error('the caller changes its mind')
    })
    await expect(failed).rejects.toThrow('changes its mind')
    await publish(3)
    await settled()
    expect(numbersOf((await events.page(Counted, 10)).events)).toEqual([1, 3])
  })

  test('comes back with the types of its schema', async () => {
    await events.publish(sql, Paid, { amount: 5n, to: new Uint8Array([1, 2]), notes: ['a'] })
    await settled()
    const [event] = (await events.page(Paid, 1)).events
    expect(event?.payload).toEqual({ amount: 5n, to: new Uint8Array([1, 2]), notes: ['a'] })
    expect(event).toMatchObject({ topic: 'test.paid', shard: null, height: null })
    expect(event?.time).toBeInstanceOf(Date)
  })

  test('with a payload that its topic does not allow is refused before anything is written', async () => {
    await expect(events.publish(sql, Counted, { n: 1.5 })).rejects.toThrow()
    expect((await events.page(null, 1)).events).toEqual([])
  })
})

describe('cursors follow commit order', () => {
  test('a transaction that commits late is not skipped by a reader that has seen a later one', async () => {
    const seen = take(events.subscribe(Counted), 2)
    const { promise: held, resolve: commit } = Promise.withResolvers<void>()
    const early = sql.begin(async (tx) => {
      await events.publish(tx, Counted, { n: 1 })
      await held
    })
    await publish(2)
    await settled()
    commit()
    await early
    expect(numbersOf(await seen)).toEqual([2, 1])
  })

  test('whatever the order in which concurrent transactions commit, every reader sees each event once, all in one order', async () => {
    let runs = 0
    let start = 'e1_-1'
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            delay: fc.integer({ min: 0, max: 12 }),
            size: fc.integer({ min: 1, max: 3 }),
            abort: fc.boolean(),
          }),
          { minLength: 4, maxLength: 24 },
        ),
        async (writers) => {
          const base = ++runs * 1000
          const plan = writers.map((writer, w) => ({
            ...writer,
            numbers: count(base + w * 10, base + w * 10 + writer.size),
          }))
          const expected = plan.filter(({ abort }) => !abort).flatMap(({ numbers }) => numbers)
          const live = [events.subscribe(Counted), events.subscribe(null)].map((stream) =>
            take(stream, expected.length),
          )
          await Promise.all(
            plan.map(({ delay, numbers, abort }) =>
              sql
                .begin(async (tx) => {
                  for (const n of numbers) await events.publish(tx, Counted, { n })
                  await tx`SELECT pg_sleep(${delay / 1000})`
                  if (abort) throw new Error('aborted')
                })
                .catch((error: Error) => expect(error.message).toBe('aborted')),
            ),
          )
          const [first = [], second = []] = await Promise.all(live)
          expect(first.map(({ cursor }) => cursor)).toEqual(second.map(({ cursor }) => cursor))
          const seen = first.map(({ payload }) => z.object({ n: z.int() }).parse(payload).n)
          expect([...seen].sort((a, b) => a - b)).toEqual(expected)
          const replay = await take(events.subscribe(null, { after: start }), expected.length)
          expect(replay.map(({ cursor }) => cursor)).toEqual(first.map(({ cursor }) => cursor))
          start = first.at(-1)?.cursor ?? start
        },
      ),
      { numRuns: 12 },
    )
  })
})

describe('a subscription', () => {
  test('hands over from history to live without gap or repeat while events keep coming', async () => {
    await writeBatch(count(0, 300))
    await settled()
    const total = 3000
    const starts = (await events.page(Counted, 100)).events.filter((_, n) => n % 20 === 0)
    const readers = starts.map(async ({ cursor, payload }) => {
      const expected = count(payload.n + 1, total)
      return { expected, seen: numbersOf(await take(events.subscribe(Counted, { after: cursor }), expected.length)) }
    })
    for (let n = 300; n < total; n += 9) await writeBatch(count(n, Math.min(n + 9, total)))
    for (const { expected, seen } of await Promise.all(readers)) expect(seen).toEqual(expected)
  })

  test('resumes in the middle of a batch', async () => {
    await writeBatch([1, 2, 3, 4])
    await settled()
    const [, second] = (await events.page(Counted, 2)).events
    expect(numbersOf(await take(events.subscribe(Counted, { after: second?.cursor ?? '' }), 2))).toEqual([3, 4])
    expect(second).toMatchObject({ shard: '0:', height: 7n })
  })

  test('sees its own topics only, also those that no one followed before', async () => {
    const first = take(events.subscribe(Counted), 2)
    await publish(1)
    await events.publish(sql, Short, { n: 100 })
    const second = take(events.subscribe([Short]), 1)
    await events.publish(sql, Short, { n: 101 })
    await publish(2)
    expect(numbersOf(await first)).toEqual([1, 2])
    const [short] = await second
    expect([100, 101]).toContain(short?.payload.n)
  })

  test('ends quietly when its signal aborts, also while it waits', async () => {
    const abort = new AbortController()
    const stream = take(events.subscribe(Counted, { signal: abort.signal }), 5)
    await publish(1)
    await settled()
    abort.abort()
    expect((await stream).length).toBeLessThanOrEqual(1)
  })

  test('of a reader that stopped reading ends with SLOW_CONSUMER, and resumes where it was', async () => {
    await events.stop()
    events = createEvents({ sql, log: quiet, topics, maxBehind: 50 })
    await events.start()
    const reader = events.subscribe(Counted)[Symbol.asyncIterator]()
    const first = reader.next()
    await writeBatch([0, 1])
    expect((await first).value?.payload).toEqual({ n: 0 })
    await reader.next()
    const waiting = reader.next()
    await writeBatch([2])
    expect((await waiting).value?.payload).toEqual({ n: 2 })
    for (let n = 3; n < 103; n += 10) await writeBatch(count(n, n + 10))
    await settled()
    const follower = events.subscribe(Counted)
    const caughtUp = take(follower, 1)
    await writeBatch([103])
    await caughtUp
    const end = await reader.next().catch((error: unknown) => error)
    expect(end).toMatchObject({ code: 'SLOW_CONSUMER', extensions: { code: 'SLOW_CONSUMER' } })
    const { cursor } = z.object({ cursor: z.string() }).parse(end)
    expect(numbersOf(await take(events.subscribe(Counted, { after: cursor }), 101))).toEqual(count(3, 104))
  })

  test('ends with DRAINING, and resumes after a restart without gap or repeat', async () => {
    const stream = events.subscribe(Counted)[Symbol.asyncIterator]()
    const first = stream.next()
    await writeBatch([0, 1, 2])
    await first
    const second = await stream.next()
    events.drain()
    const end = z
      .object({ code: z.string(), cursor: z.string() })
      .parse(await stream.next().catch((error: unknown) => error))
    expect(end.code).toBe('DRAINING')
    expect(end.cursor).toBe(second.value?.cursor)
    await publish(3)
    await events.stop()
    await publish(4)
    events = createEvents({ sql, log: quiet, topics })
    await events.start()
    await publish(5)
    expect(numbersOf(await take(events.subscribe(Counted, { after: end.cursor }), 4))).toEqual([2, 3, 4, 5])
  })

  test('goes on when no one tells that something was written', async () => {
    const stream = take(events.subscribe(Counted), 1)
    await sql`INSERT INTO event_batch (topics, count, body) VALUES (${[Counted.id]}, 1, ${encodeBatch([[Counted.id, { n: 9 }]])})`
    expect(numbersOf(await stream)).toEqual([9])
  })

  test('goes on after the database ended all its connections', async () => {
    const stream = take(events.subscribe(Counted), 2)
    await publish(1)
    await settled()
    const other = sql.begin(
      (tx) =>
        tx`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()`,
    )
    await other.catch(() => undefined)
    const again = async (): Promise<void> => publish(2).catch(again)
    await again()
    expect(numbersOf(await stream)).toEqual([1, 2])
    // The pool has noticed it of all its connections: others use them after us.
    const answers = () =>
      Promise.all(count(0, 30).map(() => sql`SELECT 1`)).then(
        () => true,
        () => false,
      )
    await expect.poll(answers).toBe(true)
  })

  test.each(['', 'x', 'e1', 'e1_', 'e_1', 'e1_1_1', 'e1_-2', 'ezzzzzzzzzzz_1'])('refuses %j as cursor', (after) => {
    expect(() => events.subscribe(null, { after })).toThrow(
      expect.objectContaining({ extensions: { code: 'BAD_CURSOR' } }),
    )
  })

  test('refuses a cursor from the future', async () => {
    const stream = events.subscribe(null, { after: 'ezz_0' })[Symbol.asyncIterator]()
    await expect(stream.next()).rejects.toMatchObject({ extensions: { code: 'BAD_CURSOR' } })
  })
})

describe('a page', () => {
  test('goes through all events of a topic once', async () => {
    for (let n = 0; n < 100; n += 5) {
      await writeBatch(count(n, n + 5))
      await writeBatch([n], Short.id)
    }
    await settled()
    const seen: number[] = []
    let after: string | undefined
    for (;;) {
      const page = await events.page(Counted, 7, after)
      seen.push(...numbersOf(page.events))
      after = page.events.at(-1)?.cursor
      if (!page.hasMore) break
    }
    expect(seen).toEqual(count(0, 100))
  })
})
