import { cellPath } from '../../../protocol/index.ts'
import { keyFromSeed, type SigningKey } from '../../../server/crypto/ed25519.ts'

/** What each account begins with, in the smallest unit: more than any run spends. */
export const PAYER_BALANCE = 10n ** 15n

/** The accounts that pay each other while a node is mistreated; half of them in each shard. */
export const PAYERS: readonly SigningKey[] = keys(0xda, 6).flat()

/** Accounts beside the payers, which pay nobody of them: one in `0:0`, one in `0:1`. */
export const OTHERS: readonly SigningKey[] = keys(0xb0, 1).flat()

/** So many keys for each of two shards. */
function keys(kind: number, perShard: number): [SigningKey[], SigningKey[]] {
  const halves: [SigningKey[], SigningKey[]] = [[], []]
  for (let i = 0; halves.some((half) => half.length < perShard); i++) {
    const seed = new Uint8Array(32).fill(kind)
    new DataView(seed.buffer).setUint32(0, i)
    const key = keyFromSeed(seed)
    const half = halves[(cellPath(key.publicKey)[0] ?? 0) < 128 ? 0 : 1]
    if (half.length < perShard) half.push(key)
  }
  return halves
}
