import { strict as assert } from 'node:assert'
import type { TransactionState } from '../../../plugins/execution/api.ts'
import { replayChain } from '../../../plugins/execution/replay/replay.ts'
import { chainInDatabase } from '../../../plugins/execution/replay/stored-chain.ts'
import { createTestChain, SPLIT_LANE, type TestChain, testKey } from '../../../plugins/execution/testing.ts'
import {
  cellPath,
  decodeTransaction,
  nodeHash,
  prefixOf,
  ROOT_REALM,
  type Transaction,
  toHex,
} from '../../../protocol/index.ts'
import { thenClose } from '../first-error.ts'
import type { Random } from '../random.ts'
import type { Scenario } from '../scenario.ts'

const PARTIES = 60
const LANES = 2
const BATCH = 100
/** Submissions that are under way at a time. */
const CLIENTS = 8
const BALANCE = 10n ** 12n
const operator = testKey('operator')
const parties = Array.from({ length: PARTIES }, (_, i) => testKey(`payer ${i}`))

/** A payment, before anybody signs it for a network. */
interface Payment {
  readonly from: number
  readonly to: number
  readonly lane: number
  readonly nonce: number
  readonly value: bigint
}

/** The same payments with and without splits on the way. */
export const splitLoad: Scenario = {
  name: 'execution/split-load',
  claim:
    'a ledger whose shards are split twice under load ends as one does that is never split: balances, order, roots',
  unit: 'transactions',
  counts: { full: 60_000, reduced: 800 },
  async run({ count, random, progress }) {
    const payments = paymentsOf(count, random)
    const plain = await played(payments, async () => undefined, progress)
    const split = await played(
      payments,
      async (net) => {
        await net.split('0:0')
        await net.split('0:00')
      },
      progress,
    )
    assert.deepEqual(split.balances, plain.balances, 'balances')
    assert.equal(split.root('0:0'), plain.root('0:0'), 'the root of the shard that was split, joined from its parts')
    assert.equal(split.root('0:1'), plain.root('0:1'), 'the root of the other shard')
    return { transactions: count, 'included meanwhile': split.meanwhile, blocks: split.blocks }
  },
}

function paymentsOf(count: number, random: Random): readonly Payment[] {
  const nonces = new Map<string, number>()
  return Array.from({ length: count }, () => {
    const from = random.below(PARTIES)
    const lane = random.below(LANES)
    const key = `${from} ${lane}`
    const nonce = nonces.get(key) ?? 0
    nonces.set(key, nonce + 1)
    return { from, lane, nonce, to: random.below(PARTIES), value: BigInt(random.between(1, 1_000_000)) }
  })
}

interface Played {
  readonly balances: readonly bigint[]
  /** Trie root of a shard, or the join of those of its parts. */
  root(shard: string): string
  readonly meanwhile: number
  readonly blocks: number
}

async function played(
  payments: readonly Payment[],
  meanwhile: (net: TestChain) => Promise<unknown>,
  progress: (text: string) => void,
): Promise<Played> {
  const net = await createTestChain({ accounts: parties.map((key) => ({ key, balance: BALANCE })) })
  const paid = async (): Promise<Played> => {
    const wires = payments.map(({ from, to, ...rest }) => {
      const [key, receiver] = [parties[from] ?? operator, parties[to] ?? operator]
      return net.sign({ key, ...rest, actions: [{ to: receiver.publicKey, value: rest.value }] })
    })
    // Whoever is never split calls as often in vain, so that the operator's account ends the same.
    const before = await blockCount(net)
    const paying = pay(net, wires)
    await meanwhile(net)
    const included = (await net.sql<{ count: bigint }[]>`SELECT count(*) FROM tx`)[0]?.count ?? 0n
    await callInVain(net)
    await paying
    const states = await net.chain.states(wires.map((wire) => decodeTransaction(wire).id))
    for (const state of states) assert.equal(state?.status, 'EXECUTED')
    await inOrder(net, wires, states)
    assert.equal((await net.settled()).total, net.network.supply, 'the supply')
    progress(`${wires.length} paid, ${included} of them when the splits were done`)
    const balances = await Promise.all(parties.map((key) => net.balance(key)))
    const roots = new Map(net.chain.shards().map(({ id, stateRoot, status }) => [id, { stateRoot, status }]))
    const blocks = (await blockCount(net)) - before
    await net.chain.stop()
    await replayChain({ network: net.network, modules: net.modules, chain: chainInDatabase(net.sql) })
    const rootOf = (shard: string): Uint8Array => {
      const found = roots.get(shard)
      assert.ok(found, `shard ${shard}`)
      return found.status === 'SPLIT' ? nodeHash(rootOf(`${shard}0`), rootOf(`${shard}1`)) : found.stateRoot
    }
    return { balances, blocks, meanwhile: Number(included), root: (shard) => toHex(rootOf(shard)) }
  }
  return thenClose(paid, () => net.close())
}

/** Several clients submit the payments, each in its order. */
async function pay(net: TestChain, wires: readonly Uint8Array[]): Promise<void> {
  let next = 0
  const client = async (): Promise<void> => {
    while (next < wires.length) {
      const batch = wires.slice(next, next + BATCH)
      next += BATCH
      for (const outcome of await net.chain.submit(batch, { wait: 'EXECUTED' })) {
        assert.equal(outcome.kind, 'accepted', JSON.stringify(outcome))
        assert.ok(outcome.kind === 'accepted' && !outcome.duplicate, 'nothing is known before it is submitted')
      }
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
}

/** Calls the root chain twice in all: those who split did so already. */
async function callInVain(net: TestChain): Promise<void> {
  const isSplit = net.chain.shards().some(({ status }) => status === 'SPLIT')
  for (let nonce = 0; !isSplit && nonce < 2; nonce++) {
    const shard = nonce === 0 ? '9:9' : '9:09'
    const action = { to: operator.publicKey, realm: ROOT_REALM, call: 'shard.split', args: { shard } }
    await net.chain.submit([net.sign({ key: operator, lane: SPLIT_LANE, nonce, actions: [action] })], {
      wait: 'EXECUTED',
    })
  }
}

const blockCount = async (net: TestChain): Promise<number> =>
  Number((await net.sql<{ count: bigint }[]>`SELECT count(*) FROM block`)[0]?.count ?? 0n)

/** Of each lane, a later nonce stands behind an earlier one: heights go on from a shard to its children. */
async function inOrder(
  net: TestChain,
  wires: readonly Uint8Array[],
  states: readonly (TransactionState | null)[],
): Promise<void> {
  const places = new Map(
    (await net.sql<{ id: Uint8Array; index: number }[]>`SELECT id, index FROM tx`).map(({ id, index }) => [
      toHex(id),
      index,
    ]),
  )
  const lanes = new Map<string, { readonly transaction: Transaction; readonly at: readonly [number, number] }[]>()
  wires.forEach((wire, i) => {
    const transaction = decodeTransaction(wire)
    const place = states[i]?.at
    assert.ok(place, 'it is in a block')
    const path = cellPath(transaction.sender)
    const { prefix } = { prefix: place.shard.slice(2) }
    assert.equal(prefixOf(path, prefix.length), prefix, 'it is in a block of its sender’s shard')
    const key = `${toHex(transaction.sender)} ${transaction.lane}`
    const lane = lanes.get(key) ?? []
    lane.push({ transaction, at: [place.height, places.get(toHex(transaction.id)) ?? -1] })
    lanes.set(key, lane)
  })
  for (const lane of lanes.values()) {
    lane.sort((a, b) => a.transaction.nonce - b.transaction.nonce)
    lane.forEach(({ at: [height, index] }, i) => {
      const [before, beforeIndex] = lane[i - 1]?.at ?? [-1, -1]
      assert.ok(before < height || (before === height && beforeIndex < index), 'nonces are included in their order')
    })
  }
}
