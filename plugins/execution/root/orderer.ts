import type { CommittedHeader, RootHeader } from '../../../protocol/index.ts'

/** A durable block of the root chain. */
export interface RootBlock {
  readonly header: RootHeader
  readonly hash: Uint8Array
  /** The shard blocks that it commits, by shard, then height. */
  readonly entries: readonly CommittedHeader[]
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
  /** Offers durable shard blocks; each is committed once, in order of height. */
  propose(headers: readonly CommittedHeader[]): void
  /** Called with each root block once it is durable, in order. */
  onCommit(listener: (block: RootBlock) => void): void
  start(): void
  stop(): Promise<void>
}
