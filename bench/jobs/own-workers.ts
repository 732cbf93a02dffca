import { setTimeout as sleep } from 'node:timers/promises'
import { PgBoss } from 'pg-boss'
import type { DatabaseOptions } from '../../server/plugin/sql.ts'

/** How many runs a second pg-boss's own workers do at best: `batch` at a time, settled together. */
export async function ownWorkersRate(database: DatabaseOptions, count: number, batch: number): Promise<number> {
  const { host, port, user, database: name } = database
  const boss = new PgBoss({ host, port, user, database: name, schema: 'reference', schedule: false, max: 4 })
  // Reported by the count that does not come.
  boss.on('error', () => undefined)
  await boss.start()
  try {
    await boss.createQueue('many')
    await boss.insert(
      'many',
      Array.from({ length: count }, (_, n) => ({ data: { n } })),
    )
    let done = 0
    const begun = performance.now()
    await boss.work(
      'many',
      { batchSize: batch, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 },
      async (jobs) => {
        done += jobs.length
      },
    )
    while (done < count) await sleep(1)
    return (1000 * count) / (performance.now() - begun)
  } finally {
    await boss.stop({ graceful: false })
  }
}
