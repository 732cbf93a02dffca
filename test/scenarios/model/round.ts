import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TransactionStatus } from '../../../plugins/execution/api.ts'
import type { TestChain } from '../../../plugins/execution/testing.ts'
import { decodeHeader, decodeTransaction, ROOT_REALM, toHex } from '../../../protocol/index.ts'
import type { Party } from './ledger-model.ts'
import { type Operation, PAY_OUT, type Step, type World } from './operations.ts'
import { weightOf } from './weights.ts'

const FINAL_WITHIN_MS = 120_000
/** The most that the values of one transaction of the operations add up to. */
const ENOUGH = 10_000_000n
/** The most that it may cost: floods make the price rise. */
export const MAX_FEE = 1_000_000_000n
/** Each shard has a thread of its own. */
const MOST_SHARDS = 8
/** A lane in which the operator does nothing else. */
const SPLIT_LANE = 9
/** Of a hundred transactions, so many are the faucet's. */
const PAID_BY_FAUCET = 7

/** A transaction as it was submitted, and how it has to end. */
export interface Submitted {
  readonly wire: Uint8Array
  readonly id: Uint8Array
  readonly sender: Uint8Array
  readonly weight: bigint
  readonly ends: TransactionStatus
}

/** Lets a random party do something at random; the model is told of it. Undefined if the party has too little left. */
export function act(net: TestChain, world: World, operations: readonly Operation[]): Submitted | undefined {
  const { random, model, parties, operator } = world
  const party = random.percent(PAID_BY_FAUCET) ? operator : random.pick(parties)
  const { publicKey } = party.key
  if (model.available(publicKey) < ENOUGH + MAX_FEE) return undefined
  const steps = (party === operator ? PAY_OUT : random.pick(operations))(world, party)
  // Diaries count on the order of one lane; what is paid is paid in any.
  const isOrdered = steps.some(({ call }) => call.startsWith('diary.'))
  const wire = sign(net, party, steps, isOrdered ? 0 : random.pick([0, 0, 1, 7, 15, 16, 200]))
  model.hold(publicKey, MAX_FEE)
  for (const { to, value, endsAt, pays } of steps) {
    model.move(publicKey, endsAt, value)
    if (pays !== undefined) model.move(to, pays.to, pays.value)
  }
  const ends = steps.some(({ isRefused }) => isRefused) ? 'FAILED' : 'EXECUTED'
  return { wire, id: decodeTransaction(wire).id, sender: publicKey, weight: weightOf(wire, steps), ends }
}

function sign(net: TestChain, party: Party, steps: readonly Step[], lane: number): Uint8Array {
  const nonce = party.nonces.get(lane) ?? 0
  party.nonces.set(lane, nonce + 1)
  const actions = steps.map(({ to, call, args, value }) => ({ to, call, args, value }))
  return net.sign({ key: party.key, nonce, lane, maxFee: MAX_FEE, actions })
}

/** Moves the fees of transactions that have ended to the treasury: their weights, at the prices of their blocks. */
export async function charge(
  net: TestChain,
  { model }: World,
  treasury: Uint8Array,
  submitted: readonly Submitted[],
): Promise<void> {
  model.release()
  const states = await net.chain.states(submitted.map(({ id }) => id))
  const headers = await net.sql<{ shard: string; height: bigint; header: Uint8Array }[]>`
    SELECT DISTINCT shard, height, header FROM block
    JOIN unnest(${states.map((state) => state?.at?.shard ?? '')}::text[],
      ${states.map((state) => state?.at?.height ?? 0)}::int8[]) AS wanted (shard, height) USING (shard, height)`
  const prices = new Map(
    headers.map(({ shard, height, header }) => [`${shard} ${height}`, decodeHeader(header).basePrice]),
  )
  for (const [i, { sender, weight, id }] of submitted.entries()) {
    const at = states[i]?.at
    const price = prices.get(`${at?.shard} ${at?.height}`)
    assert.ok(price !== undefined, `${toHex(id)} is in no block`)
    model.move(sender, treasury, weight * price)
  }
}

/** Waits until all transactions have ended, and checks how. */
export async function ended(net: TestChain, submitted: readonly Submitted[]): Promise<void> {
  const deadline = Date.now() + FINAL_WITHIN_MS
  for (;;) {
    const states = await net.chain.states(submitted.map(({ id }) => id))
    const open = states.filter((state) => state === null || state.status === 'PENDING' || state.status === 'INCLUDED')
    if (open.length === 0) {
      for (const [i, { id, ends }] of submitted.entries()) assert.equal(states[i]?.status, ends, toHex(id))
      return
    }
    const what = open.map((state) => state?.status ?? 'unknown')
    assert.ok(
      Date.now() < deadline,
      `${open.length} of ${submitted.length} have no end: ${[...new Set(what)].join(', ')}`,
    )
    await sleep(5)
  }
}

/** The weight of the call that splits a shard. */
const SPLIT = 100

/** Has the operator split one of the shards that run, unless there are many already; undefined then. */
export function splitSome(
  net: TestChain,
  { random, model, operator }: World,
  scheduled: Set<string>,
): Submitted | undefined {
  const running = net.chain.shards().filter(({ realm, status }) => realm === 0 && status === 'RUNNING')
  const free = running.filter(({ id }) => !scheduled.has(id))
  const { publicKey } = operator.key
  if (running.length >= MOST_SHARDS || free.length === 0 || model.available(publicKey) < MAX_FEE) return undefined
  const { id: shard } = random.pick(free)
  scheduled.add(shard)
  const nonce = operator.nonces.get(SPLIT_LANE) ?? 0
  operator.nonces.set(SPLIT_LANE, nonce + 1)
  const actions = [{ to: publicKey, realm: ROOT_REALM, call: 'shard.split', args: { shard } }]
  const wire = net.sign({ key: operator.key, nonce, lane: SPLIT_LANE, maxFee: MAX_FEE, actions })
  model.hold(publicKey, MAX_FEE)
  const weight = weightOf(wire, [{ call: 'shard.split', weight: SPLIT }])
  return { wire, id: decodeTransaction(wire).id, sender: publicKey, weight, ends: 'EXECUTED' }
}
