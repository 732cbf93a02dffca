import { CodecError } from './errors.ts'
import { bitAt } from './trie.ts'

/** The realm of the root chain. */
export const ROOT_REALM = 0xffffffff
/** The name of the root chain. */
export const ROOT_SHARD = 'root'
/** The longest prefix of a shard, in bits. */
export const MAX_PREFIX = 64

/** A part of a realm: all cells whose path begins with the prefix. */
export interface Shard {
  /** Name: `0:` is all of realm 0, `0:01` the second quarter; `root` is the root chain. */
  readonly id: string
  readonly realm: number
  /** The prefix as zeros and ones. */
  readonly prefix: string
}

/** The name of a shard. */
export function formatShardId(realm: number, prefix: string): string {
  return realm === ROOT_REALM ? ROOT_SHARD : `${realm}:${prefix}`
}

/**
 * The shard of a name.
 * @throws CodecError MALFORMED if it is none, or not in its one spelling.
 */
export function parseShardId(id: string): Shard {
  if (id === ROOT_SHARD) return { id, realm: ROOT_REALM, prefix: '' }
  const colon = id.indexOf(':')
  const realm = Number(id.slice(0, colon))
  const prefix = id.slice(colon + 1)
  if (!/^(0|[1-9]\d{0,9}):[01]*$/.test(id) || realm >= ROOT_REALM || prefix.length > MAX_PREFIX) {
    throw new CodecError(
      'MALFORMED',
      `${JSON.stringify(id.slice(0, 80))} is no shard: write REALM:BITS, like 0: or 0:01`,
    )
  }
  return { id, realm, prefix }
}

/** True if cells of this realm and path belong to the shard. */
export function shardHolds(shard: Shard, realm: number, path: Uint8Array): boolean {
  if (shard.realm !== realm) return false
  const { prefix } = shard
  for (let i = 0; i < prefix.length; i++) if (bitAt(path, i) !== prefix.charCodeAt(i) - 48) return false
  return true
}

/** The shard, of those that exist, that cells of this realm and path belong to; undefined if none. */
export function shardOf<S extends Shard>(shards: Iterable<S>, realm: number, path: Uint8Array): S | undefined {
  for (const shard of shards) if (shardHolds(shard, realm, path)) return shard
  return undefined
}

/** The first `length` bits of a path, as zeros and ones. */
export function prefixOf(path: Uint8Array, length: number): string {
  let prefix = ''
  for (let i = 0; i < length; i++) prefix += bitAt(path, i)
  return prefix
}
