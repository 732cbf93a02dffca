import type { CommittedHeader, RootHeader } from '../../../protocol/index.ts'
import type { Totals } from '../shard/made-block.ts'
import type { ExportChange } from './exports.ts'
import type { MadeRoot } from './made-root.ts'
import type { RootView } from './root-view.ts'

/** A durable block of the root chain. */
export interface RootBlock {
  readonly header: RootHeader
  readonly hash: Uint8Array
  /** The shard blocks that it commits, by shard, then height. */
  readonly entries: readonly CommittedHeader[]
  /** What it changed of what the root chain exports, sorted by key. */
  readonly exports: readonly ExportChange[]
  /** What it sent: out items in their order, one after the other. They are delivered with the next root block. */
  readonly outgoing: Uint8Array
  /** Of the root chain after it. */
  readonly totals: Totals
}

/** A durable shard block, to be listed by a root block. */
export interface ProposedBlock extends CommittedHeader {
  /** Of its header, in milliseconds since 1970: no root block that lists it is before that. */
  readonly time: number
}

/**
 * Orders shard blocks into root blocks. `local` (one validator, this node) is the only one now; one that agrees with
 * others takes its place without changing a format.
 */
export interface Orderer {
  /** Whether one operator could predict what it yields as randomness. */
  readonly randomness: 'SINGLE_OPERATOR' | 'SHARED'
  /** The last durable root block. */
  readonly tip: RootBlock
  /** What the root chain exports as of the last root block. */
  readonly view: RootView
  /** Offers durable shard blocks; each is committed once, in order of height. */
  propose(blocks: readonly ProposedBlock[]): void
  /** Called with each root block once it is durable, in order, and with what executing it gave. */
  onCommit(listener: (block: RootBlock, made: MadeRoot) => void): void
  start(): void
  stop(): Promise<void>
}
