import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { connect } from '../db/connect.ts'
import { CORE_MIGRATIONS, migrate } from '../db/migrate.ts'
import { silentLog } from '../log.ts'
import { type Sql, topic } from '../plugin.ts'
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts'
import { createEvents, type EventsService, encodeBatch } from './index.ts'
import { numbersOf, settle, take } from './testing.ts'

const Counted = topic('test.counted', z.object({ n: z.int() }))
const Short = topic('test.short', z.object({ n: z.int() }), { retention: { days: 1 } })
const Long = topic('test.long', z.object({ n: z.int() }), { retention: { days: 3 } })

let database: TestDatabase
let sql: Sql
let events: EventsService
beforeAll(async () => {
  database = await createTestDatabase()
  sql = connect({ ...database.options, searchPath: ['core'] }, { max: 4 })
  await migrate(sql, 'core', CORE_MIGRATIONS)
})
afterAll(async () => {
  await sql.end({ timeout: 1 })
  await database.drop()
})
beforeEach(async () => {
  events = createEvents({ sql, log: silentLog, topics: [Counted, Short, Long] })
  await events.start()
})
afterEach(() => events.stop())

async function writeBatch(numbers: readonly number[], id = Counted.id): Promise<void> {
  const body = encodeBatch(numbers.map((n) => [id, { n }] as const))
  await sql`INSERT INTO event_batch (topics, count, body) VALUES (${[id]}, ${numbers.length}, ${body})`
  events.wake()
}

const settled = () => settle(sql, events)

describe('retention', () => {
  test('removes what no topic keeps, and a cursor before it is told where the rest begins', async () => {
    await writeBatch([1], Short.id)
    await writeBatch([2])
    await settled()
    const start = (await events.page(null, 1)).events[0]?.cursor ?? ''
    await sql`UPDATE event_batch SET time = now() - interval '2 days'`
    await writeBatch([3], Short.id)
    await settled()
    expect(await events.prune(new Date())).toBe(1)
    expect(numbersOf((await events.page<{ n: number }>([Counted, Short], 10)).events)).toEqual([2, 3])
    const shorts = events.subscribe(Short, { after: 'e1_-1' })[Symbol.asyncIterator]()
    const end = z
      .object({ code: z.string(), extensions: z.object({ first: z.string() }) })
      .parse(await shorts.next().catch((error: unknown) => error))
    expect(end.code).toBe('CURSOR_EXPIRED')
    expect(numbersOf(await take(events.subscribe(Short, { after: end.extensions.first }), 1))).toEqual([3])
    expect(numbersOf(await take(events.subscribe(Counted, { after: start }), 1))).toEqual([2])
  })

  test('whatever a batch holds, it stays for as long as one of its topics is kept, and no longer', async () => {
    const days = new Map([
      [Counted.id, Number.POSITIVE_INFINITY],
      [Short.id, 1],
      [Long.id, 3],
    ])
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.subarray([...days.keys()], { minLength: 1 }), { minLength: 1, maxLength: 40 }),
        fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 4 }),
        async (batches, hours) => {
          await sql`TRUNCATE event_batch, event_pruned RESTART IDENTITY`
          await sql`UPDATE event_head SET seq = 0`
          for (const held of batches) {
            const body = encodeBatch(held.map((id) => [id, { n: 0 }] as const))
            await sql`INSERT INTO event_batch (topics, count, body) VALUES (${held}, ${held.length}, ${body})`
          }
          await settled()
          // One every three hours, the last one half an hour ago: no age is exactly a number of days.
          await sql`
            UPDATE event_batch SET time = now() - (${batches.length} - seq) * interval '3 hours' - interval '30 minutes'`
          let later = 0
          for (const more of hours) {
            later += more
            await events.prune(new Date(Date.now() + later * 3_600_000))
          }
          const age = (index: number) => (3 * (batches.length - 1 - index) + 0.5 + later) / 24
          const kept = batches.flatMap((held, index) =>
            held.some((id) => age(index) <= (days.get(id) ?? 0)) ? [BigInt(index + 1)] : [],
          )
          const left = await sql<{ seq: bigint }[]>`SELECT seq FROM event_batch ORDER BY seq`
          expect(left.map(({ seq }) => seq)).toEqual(kept)
        },
      ),
      { numRuns: 25 },
    )
  })
})
