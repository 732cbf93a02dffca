import { setTimeout as sleep } from 'node:timers/promises'
import { createClient, toHex } from '../../../client/index.ts'
import { until } from '../../../server/testing/program.ts'
import { thenClose } from '../first-error.ts'
import { auditAll, readGenesis } from '../node/audit.ts'
import { CuttingProxy } from '../node/cutting-proxy.ts'
import { withNode } from '../node/with-node.ts'
import type { Figures, Scenario } from '../scenario.ts'
import { EventReader, firstEvent } from './event-reader.ts'
import { WatchedPayments } from './watched-payments.ts'

const SETTLE_MS = 120_000
const TOPICS = [null, ['execution.credited'], ['execution.block']] as const
const LANES = [0, 1, 2, 3]

/** Subscriptions over connections that are cut, while payments go on. */
export const streams: Scenario = {
  name: 'execution/streams',
  claim: 'subscriptions whose WebSocket is cut anywhere, and that the client resumes, miss nothing and repeat nothing',
  unit: 'cuts',
  counts: { full: 1000, reduced: 30 },
  run: ({ count, random, progress }) =>
    withNode(random, async ({ node, book, load }) => {
      const proxy = await CuttingProxy.to(node.url)
      const client = createClient({ url: proxy.url })
      const cut = async (): Promise<Figures> => {
        load.start(node.url)
        await until(() => book.acknowledged > 100, 'payments are made')
        const begin = await firstEvent(node.url)
        const readers = TOPICS.map((topics) => new EventReader(client, topics, begin))
        for (const reader of readers) reader.start()
        const network = toHex((await readGenesis(node.url)).id)
        const watchers = LANES.map((lane) => new WatchedPayments(client, network, lane, random.fork()))
        for (const watcher of watchers) watcher.start()
        for (let cuts = 1; cuts <= count; cuts++) {
          await sleep(random.between(1, random.pick([50, 300])))
          proxy.cut()
          if (cuts % 10 === 0) progress(`${cuts} of ${count} cuts, ${readers[0]?.received.length} events`)
        }
        await load.stop()
        await load.settle(node.url, SETTLE_MS)
        await auditAll(node.url, book)
        for (const watcher of watchers) await watcher.stop()
        for (const reader of readers) {
          await reader.hasAll(node.url)
          await reader.stop()
        }
        return {
          cuts: count,
          events: readers.map(({ received }) => received.length).join(' + '),
          resumptions: readers.map(({ resumed }) => resumed).join(' + '),
          'payments watched': watchers.reduce((sum, { seen }) => sum + seen, 0),
        }
      }
      const figures = await thenClose(cut, async () => {
        await client.close()
        await proxy.close()
      })
      await node.stop()
      return figures
    }),
}
