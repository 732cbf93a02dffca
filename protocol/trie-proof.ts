import { equal, ZERO_HASH } from './bytes.ts'
import { TrieError } from './errors.ts'
import { Reader } from './reader.ts'
import {
  bitAt,
  leafHash,
  nodeHash,
  sharesPrefix,
  sortEntries,
  splitAt,
  subtreeOfRange,
  subtreeRoot,
  type TrieEntry,
} from './trie.ts'
import { Writer } from './writer.ts'

/** What is at a key of a trie, or that nothing is. */
export interface TrieProof {
  /** The hashes beside the path, from the trie's top down, 32 bytes each. */
  readonly siblings: readonly Uint8Array[]
  /** The only leaf where the path ends: that of the key, or of another that shares all bits down to there. */
  readonly leaf?: TrieEntry
}

/**
 * Proves what is at `key`, present or not.
 * @param depth as in `trieRoot`
 * @throws TrieError as `trieRoot`, also when the key itself lies outside the prefix.
 */
export function trieProof(entries: Iterable<TrieEntry>, key: Uint8Array, depth: number): TrieProof {
  const sorted = sortEntries(entries, depth)
  const first = sorted[0]
  if (first !== undefined && (first.key.length !== key.length || !sharesPrefix(first.key, key, depth))) {
    throw new TrieError('OUTSIDE_PREFIX', 'the key could not be in this trie: ask the shard whose prefix it has')
  }
  const siblings: Uint8Array[] = []
  let from = 0
  let to = sorted.length
  for (let level = depth; to - from > 1; level++) {
    const middle = splitAt(sorted, from, to, level)
    const right = bitAt(key, level) === 1
    const sibling = right
      ? subtreeOfRange(sorted, from, middle, level + 1)
      : subtreeOfRange(sorted, middle, to, level + 1)
    siblings.push(subtreeRoot(sibling))
    if (right) from = middle
    else to = middle
  }
  return from === to ? { siblings } : { siblings, leaf: sorted[from]! }
}

/** True if the proof shows this value at the key. */
export function verifyInclusion(
  root: Uint8Array,
  depth: number,
  key: Uint8Array,
  valueHash: Uint8Array,
  proof: TrieProof,
): boolean {
  const { leaf } = proof
  if (leaf === undefined || !equal(leaf.key, key) || !equal(leaf.valueHash, valueHash)) return false
  return leadsTo(root, depth, key, proof)
}

/** True if the proof shows that nothing is at the key: an empty slot, or another leaf alone where it would be. */
export function verifyExclusion(root: Uint8Array, depth: number, key: Uint8Array, proof: TrieProof): boolean {
  const { leaf, siblings } = proof
  if (leaf !== undefined) {
    if (leaf.key.length !== key.length || equal(leaf.key, key)) return false
    if (!sharesPrefix(leaf.key, key, depth + siblings.length)) return false
  }
  return leadsTo(root, depth, key, proof)
}

function leadsTo(root: Uint8Array, depth: number, key: Uint8Array, proof: TrieProof): boolean {
  const { siblings, leaf } = proof
  if (depth + siblings.length > 8 * key.length) return false
  if (leaf !== undefined && leaf.valueHash.length !== 32) return false
  let hash = leaf === undefined ? ZERO_HASH : leafHash(leaf.key, leaf.valueHash)
  for (let i = siblings.length - 1; i >= 0; i--) {
    const sibling = siblings[i]!
    if (sibling.length !== 32) return false
    hash = bitAt(key, depth + i) === 0 ? nodeHash(hash, sibling) : nodeHash(sibling, hash)
  }
  return equal(hash, root)
}

/** CBOR[siblings, leaf], the leaf [key, valueHash] or null. */
export function encodeTrieProof(proof: TrieProof): Uint8Array {
  const writer = new Writer()
  const { siblings, leaf } = proof
  writer.value([siblings, leaf === undefined ? null : [leaf.key, leaf.valueHash]])
  return writer.finish()
}

/**
 * The proof of its CBOR; hashes are views.
 * @throws CodecError MALFORMED or NOT_CANONICAL.
 */
export function decodeTrieProof(bytes: Uint8Array): TrieProof {
  const reader = new Reader(bytes)
  reader.arrayOf(2)
  const siblings: Uint8Array[] = []
  for (let left = reader.arrayHeader(); left > 0; left--) siblings.push(reader.bytesOf(32))
  const leaf = reader.optional() ? readLeaf(reader) : undefined
  reader.done()
  return leaf === undefined ? { siblings } : { siblings, leaf }
}

function readLeaf(reader: Reader): TrieEntry {
  reader.arrayOf(2)
  return { key: reader.bytes(), valueHash: reader.bytesOf(32) }
}
