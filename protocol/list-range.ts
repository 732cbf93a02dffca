import { sha256 } from '#sha256'
import { concat, equal, ZERO_HASH } from './bytes.ts'
import { layersOf, listLeaf, listTop, paddedTo } from './list-layers.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

/** That some items stand side by side in a list: one proof for all of them. */
export interface ListRangeProof {
  /** How many items the list has. */
  readonly count: number
  /** Place of the first of them, from 0. */
  readonly first: number
  /** The hashes beside the run, layer by layer from the leaves up, the left one before the right; 32 bytes each. */
  readonly siblings: readonly Uint8Array[]
}

/**
 * Proves that `length` items from `first` on are what the list has there. For a list without items both are 0.
 * @throws RangeError if the list has no such places, or the run is empty though the list is not.
 */
export function listRangeProof(items: readonly Uint8Array[], first: number, length: number): ListRangeProof {
  const isInside = Number.isInteger(first) && Number.isInteger(length) && first >= 0 && first + length <= items.length
  if (!isInside || (length < 1 && items.length > 0)) {
    throw new RangeError(`the list has ${items.length} items: it has no run of ${length} from ${first} on`)
  }
  const siblings: Uint8Array[] = []
  if (items.length === 0) return { count: 0, first: 0, siblings }
  const layers = layersOf(items)
  let from = first
  let to = first + length - 1
  for (let level = 0; level < layers.length - 1; level++) {
    const at = (place: number) => layers[level]!.slice(32 * place, 32 * place + 32)
    if (from % 2 === 1) siblings.push(at(from - 1))
    if (to % 2 === 0) siblings.push(at(to + 1))
    from >>= 1
    to >>= 1
  }
  return { count: items.length, first, siblings }
}

/** True if the proof shows exactly these encoded items side by side in the list of that root. */
export function verifyListRange(root: Uint8Array, run: readonly Uint8Array[], proof: ListRangeProof): boolean {
  const { count, first, siblings } = proof
  if (!(Number.isSafeInteger(count) && Number.isSafeInteger(first) && first >= 0)) return false
  if (count === 0) return first === 0 && run.length === 0 && siblings.length === 0 && equal(listTop(0, ZERO_HASH), root)
  if (run.length === 0 || first + run.length > count) return false
  let layer = run.map(listLeaf)
  let from = first
  let used = 0
  for (let width = paddedTo(count); width > 1; width /= 2) {
    if (from % 2 === 1) {
      const left = siblings[used++]
      if (left === undefined) return false
      layer.unshift(left)
    }
    if (layer.length % 2 === 1) {
      const right = siblings[used++]
      if (right === undefined) return false
      layer.push(right)
    }
    const above: Uint8Array[] = []
    for (let i = 0; i < layer.length; i += 2) above.push(sha256(concat(layer[i]!, layer[i + 1]!)))
    layer = above
    from = Math.floor(from / 2)
  }
  const [top] = layer
  if (used !== siblings.length || layer.length !== 1 || top === undefined) return false
  return siblings.every(({ length }) => length === 32) && equal(listTop(count, top), root)
}

/** CBOR[count, first, siblings]. */
export function encodeListRange(proof: ListRangeProof): Uint8Array {
  const writer = new Writer()
  writer.value([proof.count, proof.first, proof.siblings])
  return writer.finish()
}

/**
 * The proof of its CBOR; siblings are views.
 * @throws CodecError MALFORMED or NOT_CANONICAL.
 */
export function decodeListRange(bytes: Uint8Array): ListRangeProof {
  const reader = new Reader(bytes)
  reader.arrayOf(3)
  const count = reader.uint()
  const first = reader.uint()
  const siblings: Uint8Array[] = []
  for (let left = reader.arrayHeader(); left > 0; left--) siblings.push(reader.bytesOf(32))
  reader.done()
  return { count, first, siblings }
}
