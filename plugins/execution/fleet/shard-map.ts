import { cellPath, type Shard } from '../../../protocol/index.ts'

/** Finds the shard that a cell lives in. */
export interface Directory<S> {
  /** `pathBits`: the first 32 bits of the cell's path. */
  at(realm: number, pathBits: number): S | undefined
}

/**
 * The shards that answer now, by realm and path. While a shard is being split, its children take over one after the
 * other: then the longer prefix counts.
 */
export class ShardMap<S extends { readonly space: Shard }> implements Directory<S> {
  /** Longer prefixes first. */
  readonly shards: readonly S[]
  readonly #realms = new Map<number, { readonly shift: number; readonly bits: number; readonly shard: S }[]>()

  constructor(shards: Iterable<S>) {
    this.shards = [...shards].sort((a, b) => b.space.prefix.length - a.space.prefix.length)
    for (const shard of this.shards) {
      const { realm, prefix } = shard.space
      const entry = { shift: 32 - prefix.length, bits: prefix === '' ? 0 : Number.parseInt(prefix, 2), shard }
      const others = this.#realms.get(realm)
      if (others === undefined) this.#realms.set(realm, [entry])
      else others.push(entry)
    }
  }

  at(realm: number, pathBits: number): S | undefined {
    for (const { shift, bits, shard } of this.#realms.get(realm) ?? []) {
      // Shifting by 32 would shift by nothing.
      if (shift === 32 || pathBits >>> shift === bits) return shard
    }
    return undefined
  }
}

/** The shard of a cell. */
export const shardOfCell = <S>(directory: Directory<S>, realm: number, id: Uint8Array): S | undefined =>
  directory.at(realm, pathBits(cellPath(id)))

/** The first 32 bits of a path. */
const pathBits = (path: Uint8Array): number => ((path[0]! << 24) | (path[1]! << 16) | (path[2]! << 8) | path[3]!) >>> 0
