import type { Totals, TransactionOutcome } from '../shard/made-block.ts'
import type { OutIndex } from '../shard/out-index.ts'
import type { ExportChange } from './exports.ts'

/** What a root block takes in: what the blocks that the root block before lists sent to the root chain. */
export interface RootInput {
  readonly height: number
  /** Milliseconds since 1970. */
  readonly time: number
  /** 32 bytes. */
  readonly random: Uint8Array
  /** By source shard, then block height: the out items addressed to the root chain, one after the other. */
  readonly sources: readonly { readonly shard: string; readonly height: number; readonly items: Uint8Array }[]
}

/** What executing a root block gave. */
export interface MadeRoot {
  readonly cellsRoot: Uint8Array
  readonly outRoot: Uint8Array
  readonly exportsRoot: Uint8Array
  /** What it changed of the exports, sorted by key. */
  readonly exports: readonly ExportChange[]
  /** The out items in their order, one after the other; they are delivered with the next root block. */
  readonly outgoing: Uint8Array<ArrayBuffer>
  readonly outIndex: OutIndex
  /** CBOR list of [path, record | null]. */
  readonly delta: Uint8Array
  readonly outcomes: readonly TransactionOutcome[]
  readonly events: { readonly topics: readonly string[]; readonly count: number; readonly body: Uint8Array }
  /** Of the root chain after this block. */
  readonly totals: Totals
  /** Calls that broke instead of refusing, by name, and how often. Not part of the block. */
  readonly faults: ReadonlyMap<string, number>
}
