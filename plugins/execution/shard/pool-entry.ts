import type { Transaction } from '../../../protocol/index.ts'
import type { CallRegistry } from '../ledger/registry.ts'

/** Whoever asked to be told when a transaction is included. */
export interface Waiter {
  readonly batch: number
  readonly index: number
}

/** What executing a transaction needs of it. The rest is in its wire bytes: entries live long, so each view counts. */
export type PooledTransaction = Pick<
  Transaction,
  'id' | 'realm' | 'sender' | 'lane' | 'nonce' | 'validUntil' | 'maxFee' | 'actions'
>

/**
 * What a transaction in the pool waits for:
 * - `waiting`: an earlier nonce that is not in the pool.
 * - `ready`: a block.
 * - `taken`: nothing, it is in a block being made.
 * - `parked`: coins of its sender.
 * - `priced`: a lower price.
 * - `held`: room in a congested shard that it goes to.
 * - `behind`: the one before it in its lane, which waits for one of these.
 * - `dropped`: it is not in the pool any more.
 */
export type PoolState = 'waiting' | 'ready' | 'taken' | 'parked' | 'priced' | 'held' | 'behind' | 'dropped'

/** A transaction that waits for a block. */
export interface PoolEntry {
  /** The id as a map key. */
  readonly key: string
  readonly transaction: PooledTransaction
  readonly wire: Uint8Array
  readonly senderKey: string
  weight: number
  /** The calls that it was checked against: when modules change, it is checked again. */
  registry: CallRegistry
  /** Sum of what its actions carry, in the smallest unit. */
  readonly values: bigint
  /** The session key that signed it; undefined if the sender's own did. */
  readonly session: Uint8Array | undefined
  readonly waiters: Waiter[]
  /** The lane it waits in, while it is in the pool. */
  lane: Lane | undefined
  /** Its place in the line of ready ones; older places of it in the line do not count. */
  place: number
  state: PoolState
  /** Congested shards that it has waited for long enough. */
  cleared: readonly string[]
}

/** One client's sequence of nonces. */
export interface Lane {
  readonly sender: Sender
  readonly number: number
  /** The nonce after the last one that is ready or further. */
  next: number
  readonly entries: Map<number, PoolEntry>
  /** How many of them are `behind`. */
  behind: number
}

/** A sender with transactions in the pool. */
export interface Sender {
  readonly key: string
  readonly lanes: Lane[]
  count: number
}
