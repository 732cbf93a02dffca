import { generateKeyPair, type KeyPair } from '../client/index.ts'
import { cellPath, type Shard, shardHolds } from '../protocol/index.ts'

/** Longer prefixes would take minutes of trying. */
export const MAX_GRIND_BITS = 10

/** A new key pair whose account lies in the shard: about 2^bits of its prefix are tried. */
export function keyInShard(shard: Shard): KeyPair {
  for (;;) {
    const keys = generateKeyPair()
    if (shardHolds(shard, shard.realm, cellPath(keys.publicKey))) return keys
  }
}
