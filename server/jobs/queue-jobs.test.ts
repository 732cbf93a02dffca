import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Log } from '../plugin/host.ts'
import { until } from '../testing/program.ts'
import { createJobNodes, type JobNodes, work } from './fixtures/job-node.ts'

const shop = { plugin: 'shop', name: 'work' }

let nodes: JobNodes
beforeAll(async () => {
  nodes = await createJobNodes()
})
afterEach(() => nodes.clear())
afterAll(() => nodes.stop())

/** The runs as they are kept: oldest first. */
const runs = async () =>
  await nodes.sql<{ state: string; tries: number; output: unknown; start_after: Date }[]>`
    select state, retry_count + 1 as tries, output, start_after from pgboss.job order by created_on`
const states = async (): Promise<string> => (await runs()).map(({ state }) => state).join()
/** Resolves when a run's code is asked to end. */
const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

describe('work that is put in', () => {
  it('runs with its data, as it was', async () => {
    const seen: unknown[] = []
    const { jobs } = await nodes.start([
      work({ run: ({ data, attempt, fence }) => void seen.push([data, attempt, fence]) }),
    ])
    expect(await jobs.enqueue(nodes.sql, shop, { n: 7 })).toMatch(/^[0-9a-f-]{36}$/)
    await until(() => seen.length > 0, 'it has run')
    expect(seen).toEqual([[{ n: 7 }, 1, 0n]])
    await until(async () => (await states()) === 'completed', 'its end is written')
  })

  it('exists if and only if its transaction commits', async () => {
    const seen: unknown[] = []
    const { jobs } = await nodes.start([work({ run: ({ data }) => void seen.push(data) })])
    const given = nodes.sql.begin(async (tx) => {
      await jobs.enqueue(tx, shop, { n: 1 })
      throw new Error('rolled back')
    })
    await expect(given).rejects.toThrow('rolled back')
    await nodes.sql.begin(async (tx) => {
      await jobs.enqueue(tx, shop, { n: 2 })
      await jobs.enqueue(tx, shop, { n: 3 })
      // Long enough for a worker to look; it must not see them yet.
      await jobs.settle()
      expect(seen).toEqual([])
    })
    await until(() => seen.length === 2, 'both have run')
    expect(seen).toEqual([{ n: 2 }, { n: 3 }])
  })

  it('is checked by the input before anything is written', async () => {
    const { jobs } = await nodes.start([work({})])
    await expect(jobs.enqueue(nodes.sql, shop, { n: 'x' })).rejects.toMatchObject({ name: 'ZodError' })
    await expect(jobs.enqueue(nodes.sql, shop, { n: 1 }, { delay: -1 })).rejects.toMatchObject({ name: 'ZodError' })
    const unknown = jobs.enqueue(nodes.sql, { plugin: 'shop', name: 'sing' }, {})
    await expect(unknown).rejects.toMatchObject({ code: 'JOB_UNKNOWN', plugin: 'shop', job: 'sing' })
    expect(await runs()).toHaveLength(0)
  })

  it('is not put in again while work of its key waits or runs', async () => {
    const gate = Promise.withResolvers<void>()
    const seen: unknown[] = []
    const run = async ({ data }: { data: unknown }) => {
      seen.push(data)
      await gate.promise
    }
    const { jobs } = await nodes.start([work({ run })])
    const put = (n: number, key: string) => jobs.enqueue(nodes.sql, shop, { n }, { key })
    expect(await put(1, 'a')).not.toBeNull()
    await until(() => seen.length === 1, 'the first runs')
    expect(await put(2, 'a')).toBeNull()
    expect(await put(3, 'b')).not.toBeNull()
    expect(await put(4, 'b')).toBeNull()
    gate.resolve()
    await jobs.settle()
    expect(await put(5, 'a')).not.toBeNull()
    await jobs.settle()
    expect(seen).toEqual([{ n: 1 }, { n: 3 }, { n: 5 }])
  })

  it('is refused when too much of it waits', async () => {
    const { jobs, metrics } = await nodes.start([work({ input: z.unknown() })], { bounds: { waiting: 3, count: 50 } })
    const put = () => jobs.enqueue(nodes.sql, shop, null, { delay: 3600 })
    for (let n = 0; n < 4; n++) await put()
    // It is counted now and then.
    await until(
      async () =>
        put().then(
          () => false,
          ({ code }) => code === 'JOB_QUEUE_FULL',
        ),
      'it is refused',
    )
    expect(await metrics.text()).toContain('deaios_jobs_waiting_count{plugin="shop",job="work"} 3')
    await nodes.sql`delete from pgboss.job`
    await until(
      async () =>
        put().then(
          () => true,
          () => false,
        ),
      'it is taken again',
    )
  })

  it('waits for its time', async () => {
    const seen: unknown[] = []
    const { jobs } = await nodes.start([work({ run: ({ data }) => void seen.push(data) })])
    await jobs.enqueue(nodes.sql, shop, { n: 1 }, { delay: 1.2 })
    await jobs.enqueue(nodes.sql, shop, { n: 2 })
    await until(() => seen.length === 2, 'both have run')
    expect(seen).toEqual([{ n: 2 }, { n: 1 }])
    const [late] =
      await nodes.sql`select started_on >= start_after as waited from pgboss.job where data->'value'->'n' = '1'`
    expect(late).toEqual({ waited: true })
  })

  it('is done as many at a time as the job says, each once, by all nodes together', async () => {
    const seen: number[] = []
    const most = { now: 0, ever: 0 }
    const job = work({
      concurrency: 3,
      run: async ({ data }) => {
        most.ever = Math.max(most.ever, ++most.now)
        await sleep(2)
        most.now--
        if (typeof data === 'object' && data !== null && 'n' in data) seen.push(Number(data.n))
      },
    })
    const one = await nodes.start([job])
    const other = await nodes.start([job])
    const all = Array.from({ length: 100 }, (_, n) => n)
    await nodes.sql.begin((tx) => Promise.all(all.map((n) => one.jobs.enqueue(tx, shop, { n }))))
    await until(() => seen.length >= 100, 'all have run')
    await Promise.all([one.jobs.settle(), other.jobs.settle()])
    expect(seen.toSorted((a, b) => a - b)).toEqual(all)
    expect(most.ever).toBeGreaterThan(1)
    expect(most.ever).toBeLessThanOrEqual(6)
    expect(await one.metrics.text()).toMatch(/deaios_job_runs_total\{plugin="shop",job="work",outcome="done"\} \d+/)
  })
})

describe('a run that fails', () => {
  it('is tried again after a pause that grows, until no try is left', async () => {
    const tries: number[] = []
    const { jobs } = await nodes.start([
      work({
        attempts: 3,
        backoff: { seconds: 10, maxSeconds: 15 },
        run: ({ attempt }) => {
          tries.push(attempt)
          throw Object.assign(new Error('no luck'), { code: 'LUCK' })
        },
      }),
    ])
    await jobs.enqueue(nodes.sql, shop, { n: 1 })
    const pauses: number[] = []
    for (const expected of ['retry', 'retry', 'failed']) {
      await until(async () => (await states()) === expected && tries.length === pauses.length + 1, expected)
      const [row] = await nodes.sql<{ pause: number }[]>`
        select extract(epoch from start_after - now())::float8 as pause from pgboss.job`
      pauses.push(row?.pause ?? 0)
      await nodes.sql`update pgboss.job set start_after = now() where state = 'retry'`
    }
    expect(tries).toEqual([1, 2, 3])
    expect(pauses[0]).toBeGreaterThan(5)
    expect(pauses[0]).toBeLessThanOrEqual(20)
    expect(pauses[1]).toBeLessThanOrEqual(15)
    expect(pauses[1]).toBeGreaterThan(10)
    expect((await runs())[0]?.output).toEqual({ message: 'no luck', code: 'LUCK' })
  })

  it('is aborted when its time is up, and counts as failed however it ends', async () => {
    const reasons: unknown[] = []
    const { jobs } = await nodes.start([
      work({
        attempts: 1,
        timeoutSeconds: 0.1,
        run: async ({ signal }) => {
          await aborted(signal)
          reasons.push(signal.reason)
        },
      }),
    ])
    await jobs.enqueue(nodes.sql, shop, { n: 1 })
    await until(async () => (await states()) === 'failed', 'it has failed')
    expect(reasons).toMatchObject([{ code: 'JOB_TIMED_OUT', plugin: 'shop', job: 'work' }])
    expect((await runs())[0]?.output).toMatchObject({
      code: 'JOB_TIMED_OUT',
      message: 'plugin "shop", job "work": the run took longer than 0.1 s',
    })
  })

  it('is given up by name when it ignores its abort, and does not stop its job', async () => {
    const entries: unknown[] = []
    const note = (...entry: unknown[]) => void entries.push(...entry)
    const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log }
    const seen: unknown[] = []
    const gate = Promise.withResolvers<void>()
    const run = ({ data }: { data: unknown }) => {
      seen.push(data)
      return seen.length === 1 ? gate.promise : undefined
    }
    const bounds = { drain: 100, grace: 50 }
    const { jobs } = await nodes.start([work({ attempts: 1, timeoutSeconds: 0.1, run })], { log, bounds })
    await jobs.enqueue(nodes.sql, shop, { n: 1 })
    await jobs.enqueue(nodes.sql, shop, { n: 2 })
    await until(async () => (await states()) === 'failed,completed', 'the second has run')
    expect(entries).toContainEqual(expect.objectContaining({ code: 'JOB_IGNORES_ABORT' }))
    expect(entries).toContainEqual(expect.stringContaining('plugin "shop", job "work": a run does not end'))
    gate.resolve()
  })

  it('starts no more than it has places for while many ignore their abort', async () => {
    const gate = Promise.withResolvers<void>()
    let going = 0
    const run = () => {
      going++
      return gate.promise
    }
    const bounds = { drain: 100, grace: 20 }
    const { jobs } = await nodes.start([work({ attempts: 1, concurrency: 2, timeoutSeconds: 0.05, run })], { bounds })
    for (let n = 0; n < 9; n++) await jobs.enqueue(nodes.sql, shop, { n })
    await until(async () => (await states()).includes('failed,failed,failed,failed'), 'as many are given up as may be')
    await sleep(200)
    expect(going).toBe(4)
    gate.resolve()
    await until(() => going === 9, 'the rest runs when the first have ended')
  })

  it('fails by name when its data is refused by a newer input', async () => {
    const { jobs, end } = await nodes.start([work({ run: () => undefined })])
    await jobs.enqueue(nodes.sql, shop, { n: 1 }, { delay: 0.5 })
    await end()
    await nodes.start([work({ attempts: 1, input: z.object({ m: z.int() }) })])
    await until(async () => (await states()) === 'failed', 'it has failed')
    expect(JSON.stringify((await runs())[0]?.output)).toContain('m')
  })
})

describe('a node that stops', () => {
  it('lets runs end that end soon', async () => {
    const gate = Promise.withResolvers<void>()
    let isGoing = false
    const { jobs, end } = await nodes.start([
      work({
        run: () => {
          isGoing = true
          return gate.promise
        },
      }),
    ])
    await jobs.enqueue(nodes.sql, shop, { n: 1 })
    await until(() => isGoing, 'it runs')
    const ended = end()
    gate.resolve()
    await ended
    expect(await states()).toBe('completed')
  })

  it('puts the others back, to be done again without a try less', async () => {
    const tries: number[] = []
    let isFirst = true
    const job = work({
      attempts: 1,
      run: async ({ signal, attempt }) => {
        tries.push(attempt)
        if (!isFirst) return
        isFirst = false
        await aborted(signal)
        expect(signal.reason).toMatchObject({ code: 'NODE_STOPS' })
      },
    })
    const first = await nodes.start([job], { bounds: { drain: 50, grace: 1_000 } })
    await first.jobs.enqueue(nodes.sql, shop, { n: 1 })
    await until(() => tries.length === 1, 'it runs')
    await first.end()
    expect(await states()).toBe('created')
    await nodes.start([job])
    await until(async () => (await states()) === 'completed', 'the next node has done it')
    expect(tries).toEqual([1, 1])
  })

  it('takes no new runs', async () => {
    const seen: unknown[] = []
    const { jobs } = await nodes.start([work({ run: ({ data }) => void seen.push(data) })])
    await jobs.drain()
    await jobs.enqueue(nodes.sql, shop, { n: 1 })
    await sleep(50)
    expect(seen).toEqual([])
    await jobs.stop()
    await expect(jobs.enqueue(nodes.sql, shop, { n: 2 })).rejects.toMatchObject({ code: 'NODE_STOPS' })
  })
})

describe('a run whose claim is lost', () => {
  it('is aborted, done by another, and cannot write its outcome any more', async () => {
    const first = Promise.withResolvers<void>()
    const reasons: unknown[] = []
    let isFirst = true
    const tries: number[] = []
    const { jobs } = await nodes.start([
      work({
        concurrency: 2,
        run: async ({ signal, attempt }) => {
          tries.push(attempt)
          if (!isFirst) return
          isFirst = false
          first.resolve()
          await aborted(signal)
          reasons.push(signal.reason)
        },
      }),
    ])
    await jobs.enqueue(nodes.sql, shop, { n: 1 })
    await first.promise
    // As if the process had stood still: the next look takes it for dead.
    await until(async () => {
      await nodes.sql`update pgboss.job set heartbeat_on = now() - interval '20 s' where state = 'active' and retry_count = 0`
      return reasons.length > 0
    }, 'it was taken for lost')
    await jobs.settle()
    expect(reasons).toMatchObject([{ code: 'JOB_LOST' }])
    await until(async () => (await states()) === 'completed', 'the other claim has done it')
    expect(tries).toEqual([1, 2])
  })
})

describe('a database whose connections are cut', () => {
  it('is found again, with all work done', async () => {
    const seen: unknown[] = []
    const { jobs } = await nodes.start([work({ run: ({ data }) => void seen.push(data) })])
    for (let round = 1; round <= 3; round++) {
      await nodes.sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`.catch(() => undefined)
      await until(
        () =>
          jobs.enqueue(nodes.sql, shop, { n: round }).then(
            () => true,
            () => false,
          ),
        'work is put in',
      )
      await until(() => seen.length >= round, 'it is done')
    }
    expect(new Set(seen.map((data) => JSON.stringify(data)))).toEqual(new Set(['{"n":1}', '{"n":2}', '{"n":3}']))
  })
})

describe('a node without such jobs', () => {
  it('opens nothing', async () => {
    const fresh = await createJobNodes()
    const { jobs } = await fresh.start([])
    await jobs.settle()
    expect(await fresh.sql`select to_regnamespace('pgboss') is null as none`).toEqual([{ none: true }])
    await fresh.stop()
  })
})
