import { hashInto } from '@chainsafe/hashtree'
import { sha256 } from '#sha256'

const LEAF_PREFIX = 0x00
const LIST_PREFIX = 0x02
const leafScratch = new Uint8Array(1 + 40 + 32)
const listLeafScratch = new Uint8Array(33)

/** Leaf of a state trie: SHA-256(0x00 || key || valueHash). `key`: 32 or 40 bytes. */
export function trieLeaf(key: Uint8Array, valueHash: Uint8Array): Uint8Array {
  const length = 1 + key.length + 32
  leafScratch[0] = LEAF_PREFIX
  leafScratch.set(key, 1)
  leafScratch.set(valueHash, 1 + key.length)
  return sha256(leafScratch.subarray(0, length))
}

/**
 * Root of a list, as protocol/list.ts defines it, whole layers at a time: 0.06 us a node instead of 0.7.
 * `items`: the encoded items in order.
 */
export function listRoot(items: readonly Uint8Array[]): Uint8Array {
  const count = items.length
  let width = 1
  while (width < count) width *= 2
  let layer: Uint8Array = new Uint8Array(32 * width)
  listLeafScratch[0] = LEAF_PREFIX
  for (let i = 0; i < count; i++) {
    listLeafScratch.set(sha256(items[i]!), 1)
    layer.set(sha256(listLeafScratch), 32 * i)
  }
  while (width > 1) {
    width /= 2
    const next = new Uint8Array(32 * width)
    hashInto(layer, next)
    layer = next
  }
  const preimage = new Uint8Array(1 + 8 + 32)
  preimage[0] = LIST_PREFIX
  new DataView(preimage.buffer).setBigUint64(1, BigInt(count))
  preimage.set(layer, 9)
  return sha256(preimage)
}
