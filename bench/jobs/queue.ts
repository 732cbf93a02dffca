import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../server/host/clock.ts'
import { work } from '../../server/jobs/fixtures/job-node.ts'
import { createJobMeter } from '../../server/jobs/metrics.ts'
import { QueueJobs } from '../../server/jobs/queue-jobs.ts'
import { silentLog } from '../../server/log.ts'
import { MetricsRegistry } from '../../server/metrics/index.ts'
import type { Benchmark } from '../benchmark.ts'
import { figure } from '../figure.ts'
import { median } from '../percentile.ts'
import { ownWorkersRate } from './own-workers.ts'
import { openStore } from './store.ts'

/** Runs at a time. */
const CONCURRENCY = 100
const PORTION = 500
/** Pieces of work for each second that was asked for. */
const PER_SECOND = 2000
const WAKES = 100

/** Short pieces of work from the queue, on one node with its own Postgres. */
export const queue: Benchmark = {
  name: 'jobs.queue',
  description: `queue jobs that end at once, ${CONCURRENCY} at a time; and how soon one begins`,
  async *run(bench) {
    const { seconds = 5 } = bench.options
    const { sql, database } = await openStore(bench)
    let done = 0
    let begunAt = 0
    const jobs = new QueueJobs({
      jobs: [
        work({ name: 'many', concurrency: CONCURRENCY, run: () => void done++ }),
        work({
          name: 'one',
          run: () => {
            begunAt = performance.now()
          },
        }),
      ],
      plugins: ['shop'],
      sql,
      database,
      clock: systemClock,
      log: silentLog,
      meter: createJobMeter(new MetricsRegistry(silentLog)),
    })
    await jobs.prepare()
    bench.scope.defer(async () => {
      await jobs.drain()
      await jobs.stop()
    })
    const put = (name: string, count: number) =>
      sql.begin((tx) =>
        Promise.all(Array.from({ length: count }, (_, n) => jobs.enqueue(tx, { plugin: 'shop', name }, { n }))),
      )
    const count = Math.ceil(seconds * PER_SECOND)
    for (let there = 0; there < count; there += PORTION) await put('many', Math.min(PORTION, count - there))
    const begun = performance.now()
    jobs.begin('shop')
    while (done < count) await sleep(1)
    const rate = (1000 * count) / (performance.now() - begun)
    const waits: number[] = []
    for (let wake = 0; wake < WAKES; wake++) {
      begunAt = 0
      await put('one', 1)
      const committed = performance.now()
      while (begunAt === 0) await sleep(1)
      // The notification may come before the answer to the commit.
      waits.push(Math.max(0, begunAt - committed))
    }
    yield figure({
      name: 'short queue jobs, one node',
      value: rate,
      unit: 'jobs/s',
      reference: {
        name: "pg-boss's own workers, in batches",
        value: await ownWorkersRate(database, count, CONCURRENCY),
      },
      target: { ratioAtLeast: 0.5 },
    })
    yield figure({
      name: 'from a commit to the start of its run, median',
      value: median(waits),
      unit: 'ms',
      target: { atMost: 20 },
    })
  },
}
