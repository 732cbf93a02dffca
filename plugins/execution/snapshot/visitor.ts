import type { BlockHeader, CommittedHeader, RootHeader } from '../../../protocol/index.ts'
import type { Network } from '../genesis.ts'
import type { ExportChange } from '../root/exports.ts'
import type { DeferredMessage } from '../shard/inbox.ts'
import type { Totals } from '../shard/made-block.ts'
import type { ShardSpace } from '../shard/shard-space.ts'

/** A shard's last block that the root block of a snapshot commits, by its header. */
export interface CutShard {
  readonly space: ShardSpace
  readonly header: BlockHeader
  /** CBOR of the header, and its hash. */
  readonly encoded: Uint8Array
  readonly hash: Uint8Array
}

/** What a snapshot is of. */
export interface SnapshotHead {
  readonly network: Network
  /** The genesis document. */
  readonly document: Uint8Array
  /** Root height that it is of. */
  readonly height: number
  /** Height of the first root block in it: none of the shards needs those before it. */
  readonly from: number
  /** By id. */
  readonly shards: readonly CutShard[]
  /** What the root chain exported as of `from`. */
  readonly exports: readonly (readonly [key: string, value: Uint8Array])[]
}

/** A root block of a snapshot. */
export interface SnapshotRoot {
  readonly header: RootHeader
  readonly encoded: Uint8Array
  readonly hash: Uint8Array
  readonly entries: readonly CommittedHeader[]
  readonly encodedEntries: Uint8Array
  /** What it changed of the exports; empty for the first, whose are among the head's. */
  readonly exports: readonly ExportChange[]
  /** What it sent itself; it is delivered with the next one. */
  readonly outgoing: Uint8Array
}

/** A block that a root block of a snapshot lists. */
export interface SentBlock {
  readonly header: BlockHeader
  readonly encoded: Uint8Array
  readonly hash: Uint8Array
  readonly outgoing: Uint8Array
}

/** The rest of a shard's last block. */
export interface ShardBlock {
  readonly body: Uint8Array
  readonly receipts: Uint8Array
  readonly outgoing: Uint8Array
  readonly totals: Totals
}

/** A cell of a shard. */
export interface SnapshotCell {
  readonly path: Uint8Array
  readonly record: Uint8Array
}

/**
 * Takes in a snapshot while it is checked, piece by piece. Each piece fits to those before it; that all of it is what
 * the validators signed is known when the check is over, so nothing may be used before.
 */
export interface SnapshotVisitor {
  head?(head: SnapshotHead): Promise<void> | void
  /** In order of height. */
  root?(root: SnapshotRoot): Promise<void> | void
  /** Each block that the root block before lists, in order. Not told of the first root block. */
  sent?(block: SentBlock, root: SnapshotRoot): Promise<void> | void
  /** CBOR of the votes for the last root block, and the root chain's totals after it. */
  votes?(votes: Uint8Array, root: SnapshotRoot, totals: Totals): Promise<void> | void
  /** The root chain's own, sorted by path. */
  rootCells?(cells: readonly SnapshotCell[]): Promise<void> | void
  /** By id. */
  shard?(shard: CutShard, block: ShardBlock): Promise<void> | void
  /** Sorted by path. */
  cells?(shard: CutShard, cells: readonly SnapshotCell[]): Promise<void> | void
  /** Sorted by key. */
  deferred?(shard: CutShard, messages: readonly DeferredMessage[]): Promise<void> | void
}
