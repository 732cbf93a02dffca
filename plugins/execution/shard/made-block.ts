import type { BlockHeader } from '../../../protocol/index.ts'
import type { DeferredMessage } from './inbox.ts'
import type { OutIndex } from './out-index.ts'
import type { PoolEntry } from './pool-entry.ts'

/** Running totals of a shard, in the smallest unit: holdings = genesis + consumed - emitted. */
export interface Totals {
  /** Balances, deposits and deferred values. */
  readonly holdings: bigint
  /** Ever sent to other shards. */
  readonly emitted: bigint
  /** Ever taken in from other shards. */
  readonly consumed: bigint
}

/** One included transaction, as the index stores it. */
export interface IncludedTransaction {
  readonly entry: PoolEntry
  readonly refused: boolean
  /** Messages that it sent to other shards. */
  readonly remote: number
}

/** What a block did for a transaction of another block. */
export interface TransactionOutcome {
  readonly transaction: Uint8Array
  readonly delta: number
  readonly refused: boolean
  /** CBOR, as shard/outcome.ts reads it. */
  readonly detail: Uint8Array
}

/** A block that was executed and hashed, and is ready to be stored. */
export interface MadeBlock {
  readonly header: BlockHeader
  readonly headerBytes: Uint8Array
  readonly hash: Uint8Array
  readonly body: Uint8Array
  readonly included: readonly IncludedTransaction[]
  /** Where each transaction begins in the body, and its receipt in the receipts. */
  readonly bodyAt: readonly number[]
  readonly receiptAt: readonly number[]
  readonly receipts: Uint8Array
  /** The out items in their order, one after the other. */
  readonly outgoing: Uint8Array<ArrayBuffer>
  readonly outIndex: OutIndex
  readonly delta: Uint8Array
  readonly outcomes: readonly TransactionOutcome[]
  readonly events: { readonly topics: readonly string[]; readonly count: number; readonly body: Uint8Array }
  readonly deferredAdded: readonly DeferredMessage[]
  /** Keys of deferred messages that ran. */
  readonly deferredDone: readonly Uint8Array[]
  readonly totals: Totals
  /** Calls that broke instead of refusing, by name, and how often. Not part of the block. */
  readonly faults: ReadonlyMap<string, number>
}
