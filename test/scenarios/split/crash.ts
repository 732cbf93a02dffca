import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import type { SubmitOutcome } from '../../../plugins/execution/api.ts'
import { createTestChain, type TestChain, testKey } from '../../../plugins/execution/testing.ts'
import { ROOT_REALM } from '../../../protocol/index.ts'
import { until } from '../../../server/testing/program.ts'
import { thenClose, withLastWords } from '../first-error.ts'
import { memoryLog } from '../ledger/memory-log.ts'
import type { Random } from '../random.ts'
import type { Scenario } from '../scenario.ts'
import { closeGate, STEPS, type Step } from './gate.ts'

const UNITS = 10n ** 12n
const PAID = 7n
/** Splits of one ledger: a prefix has 16 bits at most, and the network 64 shards. */
const MOST_SPLITS = 12
const WITHIN_MS = 120_000
/** Warnings and errors that are told with a failure. */
const LAST_WORDS = 20
const operator = testKey('operator')
const parties = Array.from({ length: 12 }, (_, i) => testKey(`party ${i}`))

/** The ledger crashes at each step of a split: before what the step writes is durable, or after. */
export const splitCrash: Scenario = {
  name: 'execution/split-crash',
  claim: 'a split that is cut off at any step of it goes on by itself, and loses and repeats nothing',
  unit: 'crashes',
  counts: { full: 72, reduced: STEPS.length },
  async run({ count, random, progress }) {
    let lost = 0
    for (let done = 0; done < count; done += MOST_SPLITS) {
      lost += await crashes(done, Math.min(count, done + MOST_SPLITS), random, progress)
    }
    return { crashes: count, 'writes that were lost': lost }
  },
}

async function crashes(from: number, to: number, random: Random, progress: (text: string) => void): Promise<number> {
  const { log, entries } = memoryLog()
  const net = await createTestChain({ accounts: parties.map((key) => ({ key, balance: UNITS })), log })
  let lost = 0
  const crashed = async (): Promise<number> => {
    for (let i = from; i < to; i++) {
      const step = STEPS[i % STEPS.length] ?? STEPS[0]
      const isLost = random.percent(50)
      if (isLost) lost++
      progress(`${i + 1}: ${step.name}, ${isLost ? 'lost' : 'durable'}`)
      await crash(net, step, isLost, i - from)
    }
    return lost
  }
  const ledger = {
    get lastWords(): string {
      return [...net.chain.shards(), ...entries.slice(-LAST_WORDS)].map((entry) => inspect(entry)).join('\n')
    },
  }
  return thenClose(
    () => withLastWords({ ledger }, crashed),
    () => net.close(),
  )
}

async function crash(net: TestChain, step: Step, isLost: boolean, round: number): Promise<void> {
  const [first = operator] = parties
  const shard = net.chain.shardOf(0, first.publicKey) ?? ''
  const areRunning = (): boolean => ['0', '1'].every((bit) => statusOf(net, shard + bit) === 'RUNNING')
  const gate = await closeGate(net.sql, shard, step)
  const split = { to: operator.publicKey, realm: ROOT_REALM, call: 'shard.split', args: { shard } }
  await net.chain.submit([net.sign({ key: operator, nonce: round, actions: [split] })], { wait: 'INCLUDED' })
  // Everybody pays the next one. The own block of a child needs somebody who pays there.
  if (step.name === 'goes on') await until(areRunning, 'the children run', WITHIN_MS)
  const wires = parties.map((key, i) => net.transfer(key, parties[(i + 1) % parties.length] ?? key, PAID, round))
  const paying = net.chain.submit(wires, { wait: 'NONE' }).catch(() => undefined)
  const isHeld = async () => (await gate.waiting()).length > 0
  // A fold by time, before the split is due, may leave nothing to fold to the split itself.
  const isPassed = () => step.name === 'folded' && areRunning()
  await until(async () => (await isHeld()) || isPassed(), `${shard}: ${step.name}`, WITHIN_MS)
  await net.crash(async () => {
    if (isLost) for (const pid of await gate.waiting()) await net.sql`SELECT pg_terminate_backend(${pid})`
    await gate.open()
  })
  await paying
  await until(areRunning, `the children of ${shard} run`, WITHIN_MS)
  for (const outcome of await submitted(net, wires)) {
    assert.equal(outcome.kind === 'accepted' && outcome.status, 'EXECUTED', JSON.stringify(outcome))
  }
  assert.equal((await net.settled()).total, net.network.supply, 'the supply')
  assert.deepEqual(net.chain.health(), { ok: true })
  // Everybody paid as much as everybody was paid, and the same fees.
  const left = new Set(await Promise.all(parties.map((key) => net.balance(key))))
  assert.ok(left.size <= 3, `all have the same, but for fees of wires that differ by a byte: ${[...left]}`)
}

const statusOf = (net: TestChain, id: string) => net.chain.shards().find((shard) => shard.id === id)?.status

/** What a client does whose node cannot reach its database for a moment. */
async function submitted(net: TestChain, wires: readonly Uint8Array[]): Promise<readonly SubmitOutcome[]> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await net.chain.submit(wires, { wait: 'EXECUTED' })
    } catch (error) {
      if (attempt === 10) throw error
      await sleep(200)
    }
  }
}
