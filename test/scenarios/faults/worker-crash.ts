import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { isRunning, until } from '../../../server/testing/program.ts'
import { auditAll, findAcknowledged } from '../node/audit.ts'
import { AnswerError, ask } from '../node/graphql.ts'
import { shardStatuses } from '../node/shard-statuses.ts'
import { type Stage, withNode } from '../node/with-node.ts'
import type { Scenario } from '../scenario.ts'
import { makeBomb } from './bombs.ts'

const SETTLE_MS = 120_000
const BACK_WITHIN_MS = 120_000
/** Payments acknowledged after a crash that count as going on. */
const GOING_ON = 50

/** A shard's thread is made to crash while clients pay each other. */
export const workerCrash: Scenario = {
  name: 'execution/worker-crash',
  claim: 'a shard whose thread crashes under load is started again and reported; the other shard takes no notice',
  unit: 'crashes',
  counts: { full: 12, reduced: 1 },
  run: ({ count, random, progress }) =>
    withNode(random, async (stage) => {
      const { node, book, load } = stage
      const { pid } = node
      for (let round = 0; round < count; round++) {
        load.start(node.url)
        await sleep(random.between(200, 1500))
        const half = round % 2 === 0 ? 0 : 1
        const how = random.pick(['exit', 'throw'] as const)
        const way = random.pick(['simulate', 'submit'] as const)
        const told = await crash(stage, await makeBomb(node, half, half, how), `0:${half}`, way)
        // An error that nobody catches may come out when the call is answered already.
        if (way === 'simulate' && how === 'exit') assert.equal(told, 'SHARD_UNAVAILABLE')
        const before = book.acknowledged
        await until(() => book.acknowledged >= before + GOING_ON, 'payments go on', BACK_WITHIN_MS)
        await load.stop()
        assert.equal(isRunning(pid), true, 'the node lives')
        await findAcknowledged(node.url, book)
        await load.settle(node.url, SETTLE_MS)
        await auditAll(node.url, book)
        progress(`${round + 1} of ${count} crashes, ${book.size} payments`)
      }
      const reported = node.complaints.split('\n').filter((line) => line.includes('is started again after'))
      // One that was submitted is tried a second time before it is known for what it is.
      assert.ok(reported.length >= count, `crashes reported:\n${node.complaints}`)
      await node.stop()
      return { crashes: count, payments: book.size, 'repeated submissions': load.duplicates, ...load.troubles }
    }),
}

/** Sets a bomb off and watches both shards until the struck one runs again. Gives the code that the bomber was told. */
async function crash(
  { node }: Stage,
  wire: string,
  struck: string,
  way: 'simulate' | 'submit',
): Promise<string | undefined> {
  const document =
    way === 'simulate'
      ? 'query Bomb($wire: Bytes!) { simulate(transaction: $wire) { __typename ... on TransactionRefused { code } } }'
      : 'mutation Bomb($wire: Bytes!) { submitTransaction(transaction: $wire, wait: EXECUTED) { __typename ... on TransactionRefused { code } } }'
  const answer = { now: 'none yet' }
  const answered = ask(node.url, z.unknown(), document, { wire }).then(
    (data) => {
      answer.now = JSON.stringify(data)
      return undefined
    },
    (error: unknown) => {
      answer.now = String(error)
      return error
    },
  )
  const seen = new Set<string>()
  await until(
    async () => {
      const shards = await shardStatuses(node.url)
      for (const [id, status] of shards) assert.ok(id === struck || status === 'RUNNING', 'the other shard runs on')
      seen.add(shards.get(struck) ?? '')
      return seen.has('RESTARTING') && shards.get(struck) === 'RUNNING'
    },
    `shard ${struck} is down, and back`,
    BACK_WITHIN_MS,
  ).catch((error: Error) => assert.fail(`${error.message}; the bomber was told: ${answer.now}`))
  const error = await answered
  await until(async () => (await shardStatuses(node.url)).get(struck) === 'RUNNING', `shard ${struck} runs on`)
  return error instanceof AnswerError ? error.code : undefined
}
