import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { until } from '../../../server/testing/program.ts'
import { findAcknowledged } from '../node/audit.ts'
import { ask } from '../node/graphql.ts'
import { shardStatuses } from '../node/shard-statuses.ts'
import { withNode } from '../node/with-node.ts'
import type { Random } from '../random.ts'
import type { Scenario } from '../scenario.ts'
import { makeBomb } from './bombs.ts'

const CRASHES_WITHIN_MS = 120_000
/** Once to see that something is wrong, once to see what, and once to be sure. */
const CRASHES = 3

/** A message from another shard, which cannot be left out, crashes its shard whenever it is executed. */
export const poison: Scenario = {
  name: 'execution/poison',
  claim: 'a message that crashes its shard again and again stops that shard, which is told, and no other',
  unit: 'messages, each to a node of its own',
  counts: { full: 5, reduced: 1 },
  async run({ count, random, progress }) {
    let payments = 0
    for (let done = 0; done < count; done++) {
      payments += await poisonOne(random)
      progress(`${done + 1} of ${count} messages`)
    }
    return { messages: count, payments }
  },
}

/** Sends one, and sees that all else goes on. Gives the payments that were made meanwhile. */
const poisonOne = (random: Random): Promise<number> =>
  withNode(random, async ({ node, book, load }) => {
    load.start(node.url)
    await sleep(random.between(100, 500))
    const query = 'mutation Send($wire: Bytes!) { submitTransaction(transaction: $wire) { __typename } }'
    await ask(node.url, z.unknown(), query, { wire: await makeBomb(node, 0, 1, 'exit') })
    const crashes = () =>
      node.complaints.split('\n').filter((line) => /shard 0:1 (is started again|stopped)/.test(line))
    await until(
      async () => {
        assert.equal((await shardStatuses(node.url)).get('0:0'), 'RUNNING', 'the other shard runs on')
        return crashes().length >= CRASHES
      },
      `${CRASHES} crashes`,
      CRASHES_WITHIN_MS,
    )
    const before = book.acknowledged
    await until(() => book.acknowledged > before, 'the other shard’s payments go on')
    await isStopped(node.url)
    await load.stop()
    await findAcknowledged(node.url, book)
    await node.stop()
    return book.size
  })

async function isStopped(url: string): Promise<void> {
  await until(async () => (await shardStatuses(url)).get('0:1') === 'STOPPED', 'it stays down')
  const health = z.object({ ok: z.boolean(), message: z.string().nullable() })
  const schema = z.object({ plugins: z.array(z.object({ name: z.string(), health })) })
  const { plugins } = await ask(url, schema, '{ plugins { name health { ok message } } }')
  const found = plugins.find(({ name }) => name === 'execution')
  assert.equal(found?.health.ok, false)
  assert.match(found.health.message ?? '', /^shard 0:1 is stopped: call "bomb.explode" on cell 0x/)
}
