import { parseShardId, type Shard, shardHolds } from '../../../protocol/index.ts'

/** The cells that a shard holds: those of its realm whose path begins with its prefix. */
export interface ShardSpace extends Shard {
  /** True if a path of its realm is its own. */
  contains(path: Uint8Array): boolean
}

/** Reads a shard's id, like `0:01`. @throws CodecError if it is none. */
export function shardSpace(id: string): ShardSpace {
  const shard = parseShardId(id)
  return { ...shard, contains: (path) => shardHolds(shard, shard.realm, path) }
}
