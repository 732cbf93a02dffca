import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { auditAll, findAcknowledged } from '../node/audit.ts'
import { withNode } from '../node/with-node.ts'
import type { Scenario } from '../scenario.ts'

const SETTLE_MS = 120_000

/** The node is asked to stop while clients pay each other, and is started again. */
export const cleanStop: Scenario = {
  name: 'execution/clean-stop',
  claim: 'a node that is asked to stop under load ends with exit code 0 and goes on where it stopped',
  unit: 'stops',
  counts: { full: 5, reduced: 1 },
  run: ({ count, isFull, random, progress }) =>
    withNode(random, async ({ node, book, load }) => {
      let slowest = 0
      for (let round = 1; round <= count; round++) {
        load.start(node.url)
        await sleep(random.between(100, isFull ? 5000 : 1500))
        const asked = performance.now()
        await node.stop()
        slowest = Math.max(slowest, Math.round(performance.now() - asked))
        assert.equal(node.complaints, '', 'an orderly stop is nothing to warn of')
        await load.stop()
        await node.start()
        await findAcknowledged(node.url, book)
        await load.settle(node.url, SETTLE_MS)
        await auditAll(node.url, book)
        progress(`${round} of ${count} stops, ${book.size} payments`)
      }
      await node.stop()
      return {
        stops: count,
        payments: book.size,
        'repeated submissions': load.duplicates,
        'slowest stop': `${slowest} ms`,
        ...load.troubles,
      }
    }),
}
