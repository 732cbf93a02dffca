import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { toHex } from '../../../protocol/index.ts'
import { until } from '../../../server/testing/program.ts'
import { auditAll, readGenesis } from '../node/audit.ts'
import { ask } from '../node/graphql.ts'
import { PAYERS } from '../node/payers.ts'
import { type Stage, withNode } from '../node/with-node.ts'
import type { Random } from '../random.ts'
import type { Scenario } from '../scenario.ts'
import { ALL_FAULTS } from './all-faults.ts'
import { materials } from './material.ts'
import type { Spoiled } from './spoiled.ts'
import { type Answer, Verdicts } from './verdict.ts'

const BATCH = 50
const SETTLE_MS = 120_000

/** Spoiled transactions, as a client of the whole node sends them. */
export const fuzzHttp: Scenario = {
  name: 'execution/fuzz-http',
  claim: 'spoiled transactions are each refused over HTTP too, and the node goes on as if nothing had been',
  unit: 'spoiled transactions',
  counts: { full: 10_000, reduced: 500 },
  run: ({ count, random, progress }) =>
    withNode(random, async (stage) => {
      const { node, book } = stage
      await payForAWhile(stage)
      const senders = PAYERS.map((key) => ({
        key,
        executed: book.of(key).map(({ wire }) => wire),
        nextNonce: book.nextNonce(key),
      }))
      const material = materials((await readGenesis(node.url)).id, senders)
      const before = await snapshot(node.url)
      const verdicts = new Verdicts()
      for (let done = 0; done < count; done += BATCH) {
        const spoiled = Array.from({ length: Math.min(BATCH, count - done) }, () =>
          random.pick(ALL_FAULTS)(material(random)),
        )
        const answers = await submit(node.url, spoiled, random)
        for (const [i, one] of spoiled.entries()) verdicts.check(one, answers[i])
        if (done % 1000 < BATCH) progress(`${done} of ${count}`)
      }
      assert.deepEqual(await snapshot(node.url), before)
      assert.equal(node.complaints, '')
      await payForAWhile(stage)
      await node.stop()
      return { transactions: count, ...verdicts.counts }
    }),
}

async function payForAWhile({ node, book, load }: Stage): Promise<void> {
  load.start(node.url)
  await sleep(300)
  await load.stop()
  await load.settle(node.url, SETTLE_MS)
  await auditAll(node.url, book)
  await until(() => isAtRest(node.url), 'nothing waits, and nothing is on its way')
}

/** Shards tell twice a second what waits in them, and root blocks what is on its way. */
async function isAtRest(url: string): Promise<boolean> {
  const node = z.object({ mempool: z.object({ size: z.int() }) })
  const schema = z.object({
    network: z.object({ supplyCheck: z.object({ inFlight: z.string() }) }),
    shards: z.object({ edges: z.array(z.object({ node })) }),
  })
  const query = '{ network { supplyCheck { inFlight } } shards { edges { node { mempool { size } } } } }'
  const { network, shards } = await ask(url, schema, query)
  return network.supplyCheck.inFlight === '0' && shards.edges.every((edge) => edge.node.mempool.size === 0)
}

const RESULT = `{
  __typename
  ... on TransactionAccepted { duplicate transaction { status } }
  ... on TransactionRefused { code message }
}`
const Result = z.discriminatedUnion('__typename', [
  z
    .object({
      __typename: z.literal('TransactionAccepted'),
      duplicate: z.boolean(),
      transaction: z.object({ status: z.string() }),
    })
    .transform(({ duplicate, transaction }): Answer => ({ kind: 'accepted', duplicate, status: transaction.status })),
  z
    .object({ __typename: z.literal('TransactionRefused'), code: z.string(), message: z.string() })
    .transform(({ code, message }): Answer => ({ kind: 'refused', code, message })),
])

/** Submits them all together, or each for itself; simulates them besides now and then. */
async function submit(url: string, spoiled: readonly Spoiled[], random: Random): Promise<readonly Answer[]> {
  const transactions = spoiled.map(({ wire }) => toHex(wire))
  const wait = random.pick(['NONE', 'INCLUDED', 'EXECUTED'])
  if (random.percent(30)) {
    const query = 'query Simulate($wire: Bytes!) { simulate(transaction: $wire) { __typename } }'
    await Promise.all(transactions.map((wire) => ask(url, z.unknown(), query, { wire })))
  }
  if (random.percent(50)) {
    const schema = z.object({ submitTransactions: z.array(Result) })
    const query = `mutation All($transactions: [Bytes!]!, $wait: Wait!) {
      submitTransactions(transactions: $transactions, wait: $wait) ${RESULT}
    }`
    return (await ask(url, schema, query, { transactions, wait })).submitTransactions
  }
  const schema = z.object({ submitTransaction: Result })
  const query = `mutation One($wire: Bytes!, $wait: Wait!) { submitTransaction(transaction: $wire, wait: $wait) ${RESULT} }`
  const answers = await Promise.all(transactions.map((wire) => ask(url, schema, query, { wire, wait })))
  return answers.map(({ submitTransaction }) => submitTransaction)
}

/** Everything that must not change; the root chain keeps time. */
async function snapshot(url: string): Promise<unknown> {
  const query = `{
    network { supply supplyCheck { total inFlight } }
    shards { edges { node { id height stateRoot status mempool { size bytes } } } }
    plugins { name status health { ok message } }
  }`
  const { shards, ...rest } = await ask(url, Everything, query)
  const nodes = shards.edges.map(({ node }) => (node.id === 'root' ? { ...node, height: null } : node))
  return { ...rest, nodes }
}

const Everything = z.looseObject({
  shards: z.object({ edges: z.array(z.object({ node: z.looseObject({ id: z.string() }) })) }),
})
