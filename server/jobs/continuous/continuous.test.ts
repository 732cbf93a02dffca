import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Database } from '../../db/database.ts'
import { CORE_MIGRATIONS, CORE_SCHEMA, migrate } from '../../db/migrate.ts'
import { systemClock } from '../../host/clock.ts'
import { pause } from '../../pause.ts'
import type { Log } from '../../plugin/host.ts'
import type { JobRun } from '../../plugin/jobs.ts'
import { until } from '../../testing/program.ts'
import { createTestDatabase, type TestDatabase } from '../../testing/test-database.ts'
import { Leases } from '../leases.ts'
import { ContinuousRunner } from './runner.ts'

let test: TestDatabase
let database: Database
let said: string[]
const open: { stop(): Promise<void> }[] = []
beforeEach(async () => {
  said = []
  test = await createTestDatabase()
  database = await test.open()
  await migrate(database.sql(CORE_SCHEMA), CORE_SCHEMA, CORE_MIGRATIONS)
})
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop()
  await database.close()
  await test.drop()
})

const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (...words: unknown[]) => said.push(JSON.stringify(words)),
  error: (...words: unknown[]) => said.push(JSON.stringify(words)),
  child: () => log,
}

interface NodeOptions {
  readonly scope?: 'leader' | 'replica'
  readonly eligible?: () => boolean
  readonly endMs?: number
}

/** A node that has this job. */
function node(run: (run: JobRun) => Promise<void> | void, options: NodeOptions = {}): ContinuousRunner {
  const { scope = 'leader', eligible = () => true, endMs } = options
  const leases = new Leases(database, randomUUID(), log)
  const runner = new ContinuousRunner({
    job: { plugin: 'weather', name: 'poll', scope, eligible, run },
    leases: async () => leases,
    node: leases.node,
    clock: systemClock,
    log,
    ...(endMs === undefined ? {} : { endMs }),
  })
  open.push(leases, runner)
  return runner
}

const untilAborted = ({ signal }: JobRun): Promise<void> => pause(60_000, signal)
/** As if its holder had stood still for three seconds: who waits for the lease takes it. */
async function depose(): Promise<void> {
  const sql = database.sql(CORE_SCHEMA)
  await sql`update lease set holder = null, expires_at = clock_timestamp()`
  await sql`select pg_notify('core_lease', '')`
}

describe('a leader job', () => {
  it('runs on one node; when that stops, on the other, with a greater fence', async () => {
    const fences: bigint[] = []
    const run = (job: JobRun): Promise<void> => {
      fences.push(job.fence)
      return untilAborted(job)
    }
    const nodes = [node(run), node(run)]
    await until(() => fences.length === 1, 'one leads')
    const leading = nodes.find(({ state }) => state.status === 'running')
    expect(nodes.map(({ state }) => state.status).sort()).toEqual(['running', 'standby'])
    await leading?.stop()
    await until(() => fences.length === 2, 'the other leads')
    expect(fences).toEqual([1n, 2n])
    expect(said).toEqual([])
  })

  it('is aborted when another node has taken the lease, and stands by', async () => {
    let aborted = 0
    const first = node(async (job) => {
      await untilAborted(job)
      aborted++
    })
    await until(() => first.state.status === 'running', 'the first leads')
    const second = node(untilAborted)
    await depose()
    await until(() => second.state.status === 'running', 'the second leads')
    await until(() => aborted === 1 && first.state.status === 'standby', 'the first steps down')
    expect(second.state.fence).toBe(2n)
  })

  it('is tried again with growing pauses when it throws or returns, and says so', async () => {
    const attempts: number[] = []
    const runner = node(({ attempt }) => {
      attempts.push(attempt)
      if (attempt === 1) throw new Error('no wind')
    })
    await until(() => attempts.length === 2, 'it is tried again')
    await until(() => runner.state.status === 'waiting', 'and waits')
    expect(attempts).toEqual([1, 2])
    expect(runner.state).toMatchObject({ error: 'job "poll" of plugin "weather" returned; it is started again' })
    expect((runner.state.nextRunAt ?? 0) - Date.now()).toBeGreaterThan(500)
    expect(said[0]).toContain('JOB_FAILED')
    expect(said[0]).toContain('job \\"poll\\" of plugin \\"weather\\" failed')
    expect(said[1]).toContain('JOB_RETURNED')
  })

  it('lets another node try when it fails here', async () => {
    const bad = node(() => {
      throw new Error('no disk')
    })
    await until(() => bad.state.error !== null, 'it fails')
    const good = node(untilAborted)
    await until(() => good.state.status === 'running', 'it runs there')
  })

  it('that ignores its aborted signal is named, and this node leads no more until it ends', async () => {
    const end = Promise.withResolvers<void>()
    let runs = 0
    const deaf = node(
      () => {
        runs++
        return runs === 1 ? end.promise : undefined
      },
      { endMs: 100 },
    )
    await until(() => deaf.state.status === 'running', 'it leads')
    const other = node(untilAborted)
    await depose()
    await until(() => deaf.state.status === 'stuck', 'it is stuck')
    expect(said.join()).toContain('JOB_STUCK')
    expect(said.join()).toContain('what this run writes under its fence is refused')
    await other.stop()
    await depose()
    expect(runs).toBe(1)
    end.resolve()
    await until(() => runs === 2, 'it is a candidate again')
  })

  it('does not run where it is not eligible', async () => {
    const excluded = node(untilAborted, { eligible: () => false })
    await until(() => excluded.state.status === 'excluded', 'it is told')
    await excluded.stop()
  })
})

describe('a replica job', () => {
  it('runs on every node until it stops', async () => {
    const nodes = [node(untilAborted, { scope: 'replica' }), node(untilAborted, { scope: 'replica' })]
    await until(() => nodes.every(({ state }) => state.status === 'running'), 'both run')
    await Promise.all(nodes.map((one) => one.stop()))
    expect(nodes.map(({ state }) => state.status)).toEqual(['stopped', 'stopped'])
    expect(said).toEqual([])
  })
})
