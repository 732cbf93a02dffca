import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Log } from '../plugin/host.ts'
import { until } from '../testing/program.ts'
import { aborted, createJobNodes, type JobNodes, work } from './fixtures/job-node.ts'

const shop = { plugin: 'shop', name: 'work' }

let nodes: JobNodes
beforeAll(async () => {
  nodes = await createJobNodes()
})
afterEach(() => nodes.clear())
afterAll(() => nodes.stop())

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
      await until(async () => (await nodes.states()) === expected && tries.length === pauses.length + 1, expected)
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
    expect((await nodes.runs())[0]?.output).toEqual({ message: 'no luck', code: 'LUCK' })
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
    await until(async () => (await nodes.states()) === 'failed', 'it has failed')
    expect(reasons).toMatchObject([{ code: 'JOB_TIMED_OUT', plugin: 'shop', job: 'work' }])
    expect((await nodes.runs())[0]?.output).toMatchObject({
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
    await until(async () => (await nodes.states()) === 'failed,completed', 'the second has run')
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
    await until(
      async () => (await nodes.states()).includes('failed,failed,failed,failed'),
      'as many are given up as may be',
    )
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
    await until(async () => (await nodes.states()) === 'failed', 'it has failed')
    expect(JSON.stringify((await nodes.runs())[0]?.output)).toContain('m')
  })
})

describe('a run whose claim is lost', () => {
  it('is aborted in time though the database does not answer', async () => {
    const began = Promise.withResolvers<void>()
    const reasons: unknown[] = []
    const run = async ({ signal }: { signal: AbortSignal }) => {
      began.resolve()
      if (reasons.length > 0) return
      await aborted(signal)
      reasons.push(signal.reason)
    }
    const { jobs } = await nodes.start([work({ run })], { bounds: { lost: 1_000 } })
    await jobs.enqueue(nodes.sql, shop, { n: 1 })
    await began.promise
    await nodes.sql.begin(async (tx) => {
      await tx`lock table pgboss.job in access exclusive mode`
      await until(() => reasons.length > 0, 'it was aborted while nothing could be asked')
    })
    expect(reasons).toMatchObject([{ code: 'JOB_LOST' }])
    await until(async () => (await nodes.states()) === 'completed', 'it was done again')
  })

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
    await until(async () => (await nodes.states()) === 'completed', 'the other claim has done it')
    expect(tries).toEqual([1, 2])
  })
})
