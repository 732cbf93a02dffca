import { cellPath } from '../../../protocol/index.ts'
import { keyFromSeed, type SigningKey } from '../../../server/crypto/ed25519.ts'

/** Payers in each of the two shards. */
const PER_SHARD = 6
/** What each begins with, in the smallest unit: more than any run spends. */
export const PAYER_BALANCE = 10n ** 15n

/** The accounts that pay each other while a node is mistreated; half of them in each shard. */
export const PAYERS: readonly SigningKey[] = makePayers()

function makePayers(): SigningKey[] {
  const halves: [SigningKey[], SigningKey[]] = [[], []]
  for (let i = 0; halves.some((half) => half.length < PER_SHARD); i++) {
    const seed = new Uint8Array(32).fill(0xda)
    new DataView(seed.buffer).setUint32(0, i)
    const key = keyFromSeed(seed)
    const half = halves[(cellPath(key.publicKey)[0] ?? 0) < 128 ? 0 : 1]
    if (half.length < PER_SHARD) half.push(key)
  }
  return halves.flat()
}
