import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { isRunning, until } from '../../../server/testing/program.ts'
import { auditAll, findAcknowledged } from '../node/audit.ts'
import { ask } from '../node/graphql.ts'
import type { NodeUnderTest } from '../node/node-under-test.ts'
import { signalAll } from '../node/postgres-processes.ts'
import { type Stage, withNode } from '../node/with-node.ts'
import type { Scenario } from '../scenario.ts'

const SETTLE_MS = 120_000
const GO_ON_WITHIN_MS = 120_000
/** Payments acknowledged after an outage that count as going on. */
const GOING_ON = 50

/** Takes Postgres away for so many milliseconds, and gives it back. */
type Outage = (node: NodeUnderTest, ms: number) => Promise<void>

/** Connections stay open, and nothing answers on them. */
const frozen: Outage = async (node, ms) => {
  const processes = node.postgres()
  signalAll(processes, 'SIGSTOP')
  await sleep(ms)
  signalAll(processes, 'SIGCONT')
}

/** Connections break, and nobody is there to connect to. */
const gone: Outage = async (node, ms) => {
  const until = Date.now() + ms
  while (Date.now() < until) {
    signalAll(node.postgres(), 'SIGKILL')
    await sleep(50)
  }
}

/** What was sent to it before has no answer, ever; it comes back at once. */
const frozenThenKilled: Outage = async (node, ms) => {
  const processes = node.postgres()
  signalAll(processes, 'SIGSTOP')
  await sleep(ms)
  signalAll(processes, 'SIGKILL')
}

/** An immediate shutdown, as by an operator: it is started again at once. */
const stoppedOnce: Outage = async (node, ms) => {
  signalAll(node.postgres().slice(0, 1), 'SIGQUIT')
  await sleep(ms)
}

const OUTAGES: Readonly<Record<string, Outage>> = { frozen, stoppedOnce, gone, frozenThenKilled }

/** The database is away for a while, again and again, while clients pay each other. */
export const outage: Scenario = {
  name: 'execution/outage',
  claim: 'while Postgres is away submissions wait or fail with a code, then go on, and nothing acknowledged is lost',
  unit: 'outages',
  counts: { full: 8, reduced: 3 },
  run: ({ count, isFull, random, progress }) =>
    withNode(random, async (stage) => {
      const { node, book, load } = stage
      const { pid } = node
      const names = Object.keys(OUTAGES)
      for (let round = 0; round < count; round++) {
        const name = names[round % names.length] ?? ''
        load.start(node.url)
        await sleep(random.between(300, 1000))
        await during(stage, OUTAGES[name] ?? frozen, isFull ? 10_000 : 2_000)
        const before = book.acknowledged
        await until(() => book.acknowledged >= before + GOING_ON, `payments go on after: ${name}`, GO_ON_WITHIN_MS)
        await load.stop()
        assert.equal(isRunning(pid), true, 'the node lives')
        await findAcknowledged(node.url, book)
        await load.settle(node.url, SETTLE_MS)
        await auditAll(node.url, book)
        progress(`${round + 1} of ${count} outages: ${name}; ${book.size} payments`)
      }
      await node.stop()
      return { outages: count, payments: book.size, 'repeated submissions': load.duplicates, ...load.troubles }
    }),
}

/** Lets the outage happen; meanwhile the node answers what it knows by heart, and acknowledges nothing. */
async function during({ node, book }: Stage, outage: Outage, ms: number): Promise<void> {
  const isAway = outage !== stoppedOnce
  const over = outage(node, ms)
  await sleep(ms / 2)
  const acknowledged = book.acknowledged
  const schema = z.object({ network: z.object({ rootHeight: z.string() }) })
  await ask(node.url, schema, '{ network { rootHeight } }')
  await sleep(ms / 4)
  if (isAway) assert.equal(book.acknowledged, acknowledged, 'nothing is acknowledged without a database')
  await over
}
