import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { connect } from '../../../server/db/connect.ts'
import { CORE_MIGRATIONS, migrate } from '../../../server/db/migrate.ts'
import { createEvents, type EventsService } from '../../../server/events/index.ts'
import { silentLog } from '../../../server/log.ts'
import { type Sql, topic } from '../../../server/plugin.ts'
import { until } from '../../../server/testing/program.ts'
import { createTestDatabase, type TestDatabase } from '../../../server/testing/test-database.ts'
import { thenClose } from '../first-error.ts'
import type { Figures, Run, Scenario } from '../scenario.ts'

const Counted = topic('live.counted', z.object({ n: z.int() }))
const WRITERS = 3
const ARRIVE_MS = 120_000

/** One process, as far as its events go: pool, sequencer, tail, and somebody who reads everything. */
interface Process {
  readonly name: string
  readonly sql: Sql
  readonly events: EventsService
  readonly seen: { readonly cursor: string; readonly n: number }[]
}

/** The connections by which processes hear of events are broken, again and again. */
export const listeners: Scenario = {
  name: 'live/listeners',
  claim: 'processes whose notifications are lost see every event all the same, once and in one order',
  unit: 'broken connections',
  counts: { full: 300, reduced: 6 },
  run: async (run) => {
    const database = await createTestDatabase()
    const processes: Process[] = []
    const broken = async (): Promise<Figures> => {
      const core = connect({ ...database.options, searchPath: ['core'] }, { max: 1 })
      await migrate(core, 'core', CORE_MIGRATIONS)
      await core.end()
      for (const name of ['one', 'other']) processes.push(await start(database, name))
      return breakAll(run, processes)
    }
    return thenClose(broken, async () => {
      for (const { events, sql } of processes) {
        await events.stop()
        await sql.end({ timeout: 1 })
      }
      await database.drop()
    })
  },
}

async function start(database: TestDatabase, name: string): Promise<Process> {
  const sql = connect({ ...database.options, searchPath: ['core'] }, { max: 5, applicationName: name })
  const events = createEvents({ sql, log: silentLog, topics: [Counted] })
  await events.start()
  const started: Process = { name, sql, events, seen: [] }
  void follow(started)
  return started
}

async function follow({ events, seen }: Process): Promise<void> {
  try {
    for await (const { cursor, payload } of events.subscribe(Counted)) seen.push({ cursor, n: payload.n })
  } catch (error) {
    // It ends with the process.
    assert.equal(error instanceof Error && 'code' in error && error.code, 'DRAINING')
  }
}

async function breakAll({ count, random, progress }: Run, processes: readonly Process[]): Promise<Figures> {
  let written = 0
  let isOver = false
  const writers = Array.from({ length: WRITERS }, async (_, w) => {
    const writer = processes[w % processes.length]
    while (!isOver && writer !== undefined) {
      const numbers = Array.from({ length: 1 + (w % 3) * 4 }, () => written++)
      await writer.events.publishAll(
        writer.sql,
        numbers.map((n) => [Counted, { n }]),
      )
    }
  })
  const [breaker] = processes
  assert.ok(breaker !== undefined)
  for (let broken = 0; broken < count; ) {
    await sleep(random.between(1, 120))
    const name = random.pick(processes).name
    const found = await breaker.sql`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ${name} AND query ILIKE 'listen%'`
    broken += found.count
    if (broken % 20 === 0 && found.count > 0) progress(`${broken} of ${count} broken, ${written} events`)
  }
  isOver = true
  await Promise.all(writers)
  for (const { seen } of processes) await until(() => seen.length >= written, 'all events arrive', ARRIVE_MS)
  const [first, second] = processes
  assert.deepEqual(first?.seen, second?.seen, 'both saw the same')
  const numbers = first?.seen.map(({ n }) => n).sort((a, b) => a - b)
  assert.deepEqual(
    numbers,
    Array.from({ length: written }, (_, n) => n),
  )
  return { broken: count, events: written }
}
