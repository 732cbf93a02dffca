import { setTimeout as sleep } from 'node:timers/promises'
import { auditAll, findAcknowledged } from '../node/audit.ts'
import { signalAll } from '../node/postgres-processes.ts'
import { type Stage, withNode } from '../node/with-node.ts'
import type { Random } from '../random.ts'
import type { Scenario } from '../scenario.ts'
import { Follower } from '../streams/follower.ts'

const SETTLE_MS = 30_000

/** The node's process is killed at random moments while clients pay each other. */
export const kill: Scenario = {
  name: 'execution/kill',
  claim: 'a node that is killed by kill -9 under load starts by itself, and loses and repeats nothing',
  unit: 'kills',
  counts: { full: 30, reduced: 2 },
  run: ({ count, isFull, random, progress }) =>
    withNode(random, async (stage) => {
      const { node, book, load } = stage
      load.start(node.url)
      const follower = await Follower.of(node.url)
      await load.stop()
      try {
        const ways = { 'kills of the node alone': 0, 'kills with its Postgres': 0, 'kills during the start': 0 }
        for (let round = 1; round <= count; round++) {
          load.start(node.url)
          await sleep(random.between(100, isFull ? 4000 : 1500))
          ways[await killSomehow(stage, random)]++
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
      } finally {
        await follower.close()
      }
    }),
}

type Way = 'kills of the node alone' | 'kills with its Postgres' | 'kills during the start'

async function killSomehow({ node }: Stage, random: Random): Promise<Way> {
  const way = random.below(4)
  if (way === 0) {
    // As when the machine loses its power, except for what the disk itself would lose.
    signalAll(node.postgres(), 'SIGKILL')
    await node.kill()
    return 'kills with its Postgres'
  }
  await node.kill()
  if (way !== 1) return 'kills of the node alone'
  node.launch()
  await sleep(random.between(50, 1500))
  await node.kill()
  return 'kills during the start'
}
