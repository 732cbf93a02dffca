import { sha256 } from '#sha256'
import { concat, equal } from './bytes.ts'
import { layersOf, listLeaf, listTop, paddedTo } from './list-layers.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

/** That an item is at a place of a list. */
export interface ListProof {
  /** How many items the list has. */
  readonly count: number
  /** Place of the item, from 0. */
  readonly index: number
  /** The hashes beside the path from the item to the top, 32 bytes each. */
  readonly siblings: readonly Uint8Array[]
}

/**
 * The root of a list of encoded items, 32 bytes: leaves `H(0x00 || H(item))`, padded with zero hashes to a power of two
 * (one zero hash if there is no item), hashed in pairs to the top; then `H(0x02 || u64be count || top)`.
 */
export function listRoot(items: readonly Uint8Array[]): Uint8Array {
  const layers = layersOf(items)
  return listTop(items.length, layers[layers.length - 1]!)
}

/**
 * Proves that an item is at `index` of the list.
 * @throws RangeError if the list has no such place.
 */
export function listProof(items: readonly Uint8Array[], index: number): ListProof {
  return listProver(items)(index)
}

/** As `listProof`, for many items of one list: it is hashed once, when the first one is asked for. */
export function listProver(items: readonly Uint8Array[]): (index: number) => ListProof {
  let layers: Uint8Array[] | undefined
  return (index) => {
    if (!Number.isInteger(index) || index < 0 || index >= items.length) {
      throw new RangeError(`the list has places 0 to ${items.length - 1}, not ${index}`)
    }
    layers ??= layersOf(items)
    const siblings: Uint8Array[] = []
    for (let level = 0, at = index; level < layers.length - 1; level++, at >>= 1) {
      const start = 32 * (at ^ 1)
      siblings.push(layers[level]!.slice(start, start + 32))
    }
    return { count: items.length, index, siblings }
  }
}

/** True if the proof shows the encoded item in the list of that root. */
export function verifyListProof(root: Uint8Array, item: Uint8Array, proof: ListProof): boolean {
  const { count, index, siblings } = proof
  if (!(Number.isSafeInteger(count) && Number.isSafeInteger(index) && index >= 0 && index < count)) return false
  if (2 ** siblings.length !== paddedTo(count)) return false
  let top = listLeaf(item)
  let at = index
  for (const sibling of siblings) {
    if (sibling.length !== 32) return false
    top = sha256(at % 2 === 0 ? concat(top, sibling) : concat(sibling, top))
    at = Math.floor(at / 2)
  }
  return equal(listTop(count, top), root)
}

/** CBOR[count, index, siblings]. */
export function encodeListProof(proof: ListProof): Uint8Array {
  const writer = new Writer()
  writer.value([proof.count, proof.index, proof.siblings])
  return writer.finish()
}

/**
 * The proof of its CBOR; siblings are views.
 * @throws CodecError MALFORMED or NOT_CANONICAL.
 */
export function decodeListProof(bytes: Uint8Array): ListProof {
  const reader = new Reader(bytes)
  reader.arrayOf(3)
  const count = reader.uint()
  const index = reader.uint()
  const siblings: Uint8Array[] = []
  for (let left = reader.arrayHeader(); left > 0; left--) siblings.push(reader.bytesOf(32))
  reader.done()
  return { count, index, siblings }
}
