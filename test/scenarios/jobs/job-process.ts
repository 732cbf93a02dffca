/**
 * Works off the queue job `shop/work` of the database whose options are in argv, as a node would: each run takes a
 * moment, then writes in one transaction that it was done.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { connect } from '../../../server/db/connect.ts'
import { CORE_SCHEMA } from '../../../server/db/migrate.ts'
import { systemClock } from '../../../server/host/clock.ts'
import { createJobMeter } from '../../../server/jobs/metrics.ts'
import { QueueJobs } from '../../../server/jobs/queue-jobs.ts'
import { silentLog } from '../../../server/log.ts'
import { MetricsRegistry } from '../../../server/metrics/index.ts'
import type { DatabaseOptions } from '../../../server/plugin/sql.ts'
import { shopWork } from './shop-work.ts'

const [, , options = '{}'] = process.argv
const database: DatabaseOptions = JSON.parse(options)
const sql = connect({ ...database, searchPath: [CORE_SCHEMA] })
const jobs = new QueueJobs({
  jobs: [
    shopWork(async ({ data, attempt, signal }) => {
      const { n } = z.object({ n: z.int() }).parse(data)
      await sleep(5 + (n % 200))
      signal.throwIfAborted()
      await sql`insert into core.shop_done (n, attempt) values (${n}, ${attempt})`
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
jobs.begin('shop')
process.stdout.write('ready\n')
process.on('SIGTERM', async () => {
  await jobs.drain()
  await jobs.stop()
  await sql.end()
  clearInterval(kept)
})
// What it waits for by itself does not keep a process.
const kept = setInterval(() => undefined, 60_000)
