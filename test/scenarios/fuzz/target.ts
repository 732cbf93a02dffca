import { strict as assert } from 'node:assert'
import {
  createTestChain,
  type TestChain,
  type TestChainOptions,
  testKeyIn,
} from '../../../plugins/execution/testing.ts'
import { toHex } from '../../../protocol/index.ts'
import { type LogEntry, memoryLog } from '../ledger/memory-log.ts'
import type { Random } from '../random.ts'
import { materials } from './material.ts'
import { type Material, seal } from './spoiled.ts'

/** A ledger to throw things at. */
export interface Target {
  readonly net: TestChain
  /** Material with a sender in each shard. */
  material(random: Random): Material
  /** What the ledger complained about. */
  readonly complaints: readonly LogEntry[]
  /** Everything that must not change: roots, heights, counts, supply, what waits. */
  snapshot(): Promise<unknown>
  /** Checks that what all faults are made from is good itself, and that no fault got in its way. */
  takesValidOnes(random: Random): Promise<void>
}

const SENDERS = [testKeyIn(0, 'fuzz'), testKeyIn(1, 'fuzz')] as const
const BALANCE = 10n ** 15n
/** Executed transactions of each sender. */
const EXECUTED = 10

/** Starts a ledger of two shards with some history. */
export async function openTarget(options: TestChainOptions = {}): Promise<Target> {
  const { log, entries } = memoryLog()
  const net = await createTestChain({ ...options, log, accounts: SENDERS.map((key) => ({ key, balance: BALANCE })) })
  const [here, there] = SENDERS
  const executed = SENDERS.map((key) =>
    Array.from({ length: EXECUTED }, (_, nonce) => net.transfer(key, nonce % 2 === 0 ? here : there, 5n, nonce)),
  )
  for (const outcome of await net.chain.submit(executed.flat(), { wait: 'EXECUTED' })) {
    assert.equal(outcome.kind === 'accepted' && outcome.status, 'EXECUTED')
  }
  const senders = SENDERS.map((key, i) => ({ key, executed: executed[i] ?? [], nextNonce: EXECUTED }))
  const material = materials(net.network.id, senders)
  return {
    net,
    complaints: entries,
    material,
    async snapshot() {
      const { total, inFlight } = await net.settled()
      const [counts] = await net.sql`SELECT (SELECT count(*) FROM tx) AS tx, (SELECT count(*) FROM block) AS blocks`
      return {
        supply: { isWhole: total === net.network.supply, total, inFlight },
        counts: { ...counts },
        shards: net.chain
          .shards()
          // The root chain goes on by itself.
          .filter(({ id }) => id !== 'root')
          .map(({ id, height, stateRoot, status }) => ({ id, height, root: toHex(stateRoot), status })),
      }
    },
    async takesValidOnes(random) {
      for (const sender of senders) {
        const { valid, key } = materials(net.network.id, [sender])(random)
        const [outcome] = await net.chain.submit([seal(valid(), key)], { wait: 'EXECUTED' })
        assert.deepEqual(outcome?.kind === 'accepted' && [outcome.duplicate, outcome.status], [false, 'EXECUTED'])
      }
    },
  }
}
