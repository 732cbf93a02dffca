import { z } from 'zod'
import { cron, definePlugin, follow, topic } from '../../server/plugin.ts'
import { createTestHost } from '../../server/testing/test-host.ts'
import type { Benchmark } from '../benchmark.ts'
import { figure } from '../figure.ts'
import { median } from '../percentile.ts'

/** How many hosts are timed at most: each leaves the shared Postgres as it was. */
const MOST = 40

const Written = topic('journal.written', z.object({ n: z.int() }))
/** A plugin with something of everything: a type, a topic, a follower and a cron job. */
const journal = definePlugin({
  name: 'journal',
  version: '1.0.0',
  api: '^1.0.0',
  topics: [Written],
  jobs: [
    follow({ name: 'index', topic: Written, apply: ({ payload }, tx) => tx`SELECT ${payload.n}::int` }),
    cron({ name: 'count', schedule: '0 4 * * *', run: () => undefined }),
  ],
  graphql: (builder) => builder.queryField('one', (t) => t.int({ resolve: () => 1 })),
})()

/** What an author waits for in each test: a node on a database of its own. */
export const testHost: Benchmark = {
  name: 'graphql.test-host',
  description:
    'createTestHost of a plugin with a type, a topic, a follower and a cron job; the first one starts Postgres',
  async *run(bench) {
    const { seconds = 5 } = bench.options
    const start = async (): Promise<number> => {
      const begun = performance.now()
      const host = await createTestHost({ plugins: [journal] })
      const took = performance.now() - begun
      await host.stop()
      return took
    }
    const first = await start()
    const second = await start()
    const later: number[] = []
    const end = performance.now() + seconds * 1000
    while (performance.now() < end && later.length < MOST) later.push(await start())
    bench.say(`${later.length} further hosts`)
    yield figure({
      name: 'second test host',
      value: second,
      unit: 'ms',
      reference: { name: 'the first, with its Postgres', value: first },
      target: { atMost: 300 },
    })
    yield figure({
      name: 'further test hosts, median',
      value: median(later),
      unit: 'ms',
      reference: { name: 'the first, with its Postgres', value: first },
      target: { atMost: 300 },
    })
  },
}
