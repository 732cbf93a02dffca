import { setTimeout as sleep } from 'node:timers/promises'
import { thenClose } from '../first-error.ts'
import { auditAll, findAcknowledged } from '../node/audit.ts'
import { killSomehow, noKills } from '../node/kill-somehow.ts'
import { withNode } from '../node/with-node.ts'
import type { Figures, Scenario } from '../scenario.ts'
import { Follower } from '../streams/follower.ts'

const SETTLE_MS = 120_000

/** The node's process is killed at random moments while clients pay each other. */
export const kill: Scenario = {
  name: 'execution/kill',
  claim: 'a node that is killed by kill -9 under load starts by itself, and loses and repeats nothing',
  unit: 'kills',
  counts: { full: 30, reduced: 1 },
  run: ({ count, isFull, random, progress }) =>
    withNode(random, async ({ node, book, load }) => {
      load.start(node.url)
      const follower = await Follower.of(node.url)
      await load.stop()
      const killed = async (): Promise<Figures> => {
        const ways = noKills()
        for (let round = 1; round <= count; round++) {
          load.start(node.url)
          await sleep(random.between(100, isFull ? 4000 : 1500))
          ways[await killSomehow(node, random)]++
          await load.stop()
          const open = load.open
          await node.start()
          await findAcknowledged(node.url, book)
          await load.settle(node.url, SETTLE_MS)
          await auditAll(node.url, book)
          await follower.hasAll(node.url)
          progress(`${round} of ${count} kills, ${book.size} payments, ${open} open at the last kill`)
        }
        return {
          kills: count,
          ...ways,
          payments: book.size,
          events: follower.count,
          'repeated submissions': load.duplicates,
          'slowest start': `${node.slowestStart} ms`,
        }
      }
      return thenClose(killed, () => follower.close())
    }),
}
