import { sha256, sha256Into, sha256Layer } from '#sha256'
import { concat, u64be, ZERO_HASH } from './bytes.ts'

// 0x00 and a hash: the preimage of a leaf, made in place.
const leafScratch = new Uint8Array(33)
const itemHash = leafScratch.subarray(1)
const ROOT = new Uint8Array([2])

/** The leaf of an encoded item, 32 bytes: `H(0x00 || H(item))`. */
export function listLeaf(item: Uint8Array): Uint8Array {
  sha256Into(itemHash, item)
  return sha256(leafScratch)
}

/** The root of a list of so many items, from the single hash at the top of its leaves. */
export function listTop(count: number, top: Uint8Array): Uint8Array {
  return sha256(concat(ROOT, u64be(count), top))
}

/** The power of two that a list's leaves are padded to. */
export function paddedTo(count: number): number {
  return count <= 1 ? 1 : 2 ** Math.ceil(Math.log2(count))
}

/** The padded leaves, then each layer above them up to the single hash at the top. */
export function layersOf(items: readonly Uint8Array[]): Uint8Array[] {
  if (items.length === 0) return [ZERO_HASH]
  let layer = new Uint8Array(32 * paddedTo(items.length))
  const leaf = new Uint8Array(32)
  for (const [index, item] of items.entries()) {
    sha256Into(itemHash, item)
    sha256Into(leaf, leafScratch)
    layer.set(leaf, 32 * index)
  }
  const layers = [layer]
  while (layer.length > 32) {
    layer = new Uint8Array(sha256Layer(layer))
    layers.push(layer)
  }
  return layers
}
