import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../testing/program.ts'
import { aborted, createJobNodes, type JobNodes, work } from './fixtures/job-node.ts'

const shop = { plugin: 'shop', name: 'work' }

let nodes: JobNodes
beforeAll(async () => {
  nodes = await createJobNodes()
})
afterEach(() => nodes.clear())
afterAll(() => nodes.stop())

describe('work that is put in', () => {
  it('runs with its data, as it was', async () => {
    const seen: unknown[] = []
    const { jobs } = await nodes.start([
      work({ run: ({ data, attempt, fence }) => void seen.push([data, attempt, fence]) }),
    ])
    expect(await jobs.enqueue(nodes.sql, shop, { n: 7 })).toMatch(/^[0-9a-f-]{36}$/)
    await until(() => seen.length > 0, 'it has run')
    expect(seen).toEqual([[{ n: 7 }, 1, 0n]])
    await until(async () => (await nodes.states()) === 'completed', 'its end is written')
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
    await expect(jobs.enqueue(nodes.sql, shop, { n: 1 }, { key: 'a\0' })).rejects.toMatchObject({ name: 'ZodError' })
    const unknown = jobs.enqueue(nodes.sql, { plugin: 'shop', name: 'sing' }, {})
    await expect(unknown).rejects.toMatchObject({ code: 'JOB_UNKNOWN', plugin: 'shop', job: 'sing' })
    expect(await nodes.runs()).toHaveLength(0)
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
    expect(await nodes.states()).toBe('completed')
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
    expect(await nodes.states()).toBe('created')
    await nodes.start([job])
    await until(async () => (await nodes.states()) === 'completed', 'the next node has done it')
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

describe('a database whose connections are cut', () => {
  it('is found again, with all work done', async () => {
    const seen: unknown[] = []
    const { jobs } = await nodes.start([work({ run: ({ data }) => void seen.push(data) })])
    for (let round = 1; round <= 3; round++) {
      // postgres.js lets nobody hear of it when a connection is cut while it learns the types of arrays.
      await sleep(400)
      await nodes.sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_start < now() - interval '0.3 s'`.catch(
        () => undefined,
      )
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

describe('nodes that start at once on an empty database', () => {
  it('make the job store once, and share the work', async () => {
    const fresh = await createJobNodes()
    const seen: unknown[] = []
    const job = work({ run: ({ data }) => void seen.push(data) })
    const started = await Promise.all([fresh.start([job]), fresh.start([job]), fresh.start([job])])
    for (const { jobs } of started) await jobs.enqueue(fresh.sql, shop, { n: 1 })
    await until(() => seen.length >= 3, 'all is done')
    for (const { jobs } of started) await jobs.settle()
    expect(seen).toHaveLength(3)
    await fresh.stop()
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
