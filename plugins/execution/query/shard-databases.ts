import type { Sql } from '../../../server/plugin.ts'

/** The databases that hold the blocks of a ledger: the node's own, and those of shard hosts. */
export interface ShardDatabases {
  /** The node's own, with the root chain and the event stream. */
  readonly main: Sql
  /** All of them, the node's own first. */
  readonly all: readonly Sql[]
  /** Where a shard's blocks are, or would be. */
  of(shard: string): Promise<Sql>
  /** Ends the connections to all but the node's own. */
  close(): Promise<void>
}

/** A ledger whose shards all live in the node's own database. */
export const oneDatabase = (main: Sql): ShardDatabases => ({
  main,
  all: [main],
  of: async () => main,
  close: async () => undefined,
})
