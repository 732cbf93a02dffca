import type { ExportChange } from '../root/exports.ts'
import type { TrieState } from '../state/trie.ts'
import type { Totals } from './made-block.ts'

/**
 * What a shard that was split off begins with, handed over in memory so that it need not read all of its cells. All of
 * it is in the database, too: a shard begins from there if it is given no seed. It can be cloned between threads.
 */
export interface ShardSeed {
  /** Header bytes of its first block. */
  readonly header: Uint8Array
  readonly hash: Uint8Array
  readonly totals: Totals
  /** Of its cells, in its parent's arrays: they are shared, and must not be held when it has taken its half. */
  readonly trie: TrieState
  /** What its cells are worth, by the beginnings of their paths (state/holdings.ts). */
  readonly holdings: readonly bigint[]
  /** Deferred messages, oldest first: key and CBOR. */
  readonly waiting: readonly { readonly key: Uint8Array; readonly message: Uint8Array }[]
  /** Of the root block that its first block has taken in. */
  readonly random: Uint8Array
  /** What the root chain exports as of that root block. */
  readonly exports: readonly ExportChange[]
}
