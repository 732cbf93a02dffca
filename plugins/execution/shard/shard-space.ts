import { cellPath } from '../../../protocol/index.ts'

/** The cells that a shard holds: those of its realm whose path begins with its prefix. */
export interface ShardSpace {
  readonly id: string
  readonly realm: number
  /** Bits as text, like `01`; empty for everything. */
  readonly prefix: string
  contains(path: Uint8Array): boolean
}

/** Prefixes are at most 32 bits: four thousand million shards a realm. */
export const MAX_PREFIX_BITS = 32

/** Reads a shard's id, like `0:01`. @throws RangeError if it is none. */
export function shardSpace(id: string): ShardSpace {
  const match = /^(\d{1,10}):([01]{0,32})$/.exec(id)
  if (match === null) throw new RangeError(`"${id}" is no shard: write realm:bits, like 0:01`)
  const [, realm = '', prefix = ''] = match
  const shift = MAX_PREFIX_BITS - prefix.length
  const bits = prefix === '' ? 0 : Number.parseInt(prefix, 2)
  return {
    id,
    realm: Number(realm),
    prefix,
    contains: (path) => prefix === '' || first32Bits(path) >>> shift === bits,
  }
}

/** The shard among these that holds a cell. */
export function shardOfPath(shards: readonly ShardSpace[], realm: number, path: Uint8Array): ShardSpace | undefined {
  return shards.find((shard) => shard.realm === realm && shard.contains(path))
}

/** The shard among these that holds the cell with this id. */
export const shardOfCell = (shards: readonly ShardSpace[], realm: number, id: Uint8Array): ShardSpace | undefined =>
  shardOfPath(shards, realm, cellPath(id))

function first32Bits(path: Uint8Array): number {
  return ((path[0]! << 24) | (path[1]! << 16) | (path[2]! << 8) | path[3]!) >>> 0
}
