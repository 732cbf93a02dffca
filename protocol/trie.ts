import { sha256, sha256Into } from '#sha256'
import { compare, concat, equal, ZERO_HASH } from './bytes.ts'
import { TrieError } from './errors.ts'

/** A key of the trie and the hash of what is there. */
export interface TrieEntry {
  /** 32 bytes (a cell's path), or 40 (a destination's path and u64 arrival): the same length throughout a trie. */
  readonly key: Uint8Array
  /** 32 bytes. */
  readonly valueHash: Uint8Array
}

/**
 * The top of a subtree. A lone leaf is told from a node, because it is pulled up to wherever it is alone:
 * who joins two halves has to know.
 */
export type Subtree =
  | { readonly kind: 'empty' }
  | { readonly kind: 'leaf'; readonly key: Uint8Array; readonly valueHash: Uint8Array }
  | { readonly kind: 'node'; readonly hash: Uint8Array }

// 0x00, a key of 32 or 40 bytes and a hash: the preimage of a leaf, made in place.
const leafScratch = new Uint8Array(1 + 64 + 32)
const cellLeafScratch = new Uint8Array(1 + 32 + 32)
const cellValueHash = cellLeafScratch.subarray(33)
const EMPTY: Subtree = { kind: 'empty' }

/**
 * The root of a binary Merkle trie, 32 bytes. A subtree without a leaf is 32 zero bytes, with one it is
 * `H(0x00 || key || valueHash)`, with more it is `H(left || right)`.
 * This is the plain definition, for proofs and to check faster ones against: it hashes everything each time.
 * @param depth how many leading bits all keys share by rule: the length of the shard's prefix
 * @throws TrieError DUPLICATE_KEY, KEY_LENGTH or OUTSIDE_PREFIX.
 */
export function trieRoot(entries: Iterable<TrieEntry>, depth: number): Uint8Array {
  return subtreeRoot(subtreeOf(entries, depth))
}

/** The top of the trie as `trieRoot` hashes it, its lone leaf opened. */
export function subtreeOf(entries: Iterable<TrieEntry>, depth: number): Subtree {
  const sorted = sortEntries(entries, depth)
  return subtreeOfRange(sorted, 0, sorted.length, depth)
}

/** The hash of a subtree, 32 bytes. */
export function subtreeRoot(subtree: Subtree): Uint8Array {
  if (subtree.kind === 'empty') return ZERO_HASH
  return subtree.kind === 'leaf' ? leafHash(subtree.key, subtree.valueHash) : subtree.hash
}

/** The subtree whose halves these are: what a shard's trie was before the shard was split. */
export function join(left: Subtree, right: Subtree): Subtree {
  if (left.kind === 'empty' && right.kind !== 'node') return right
  if (right.kind === 'empty' && left.kind !== 'node') return left
  return { kind: 'node', hash: nodeHash(subtreeRoot(left), subtreeRoot(right)) }
}

/** `H(0x00 || key || valueHash)`, never over 64 bytes, so that no leaf passes for a node. */
export function leafHash(key: Uint8Array, valueHash: Uint8Array): Uint8Array {
  const length = 1 + key.length + valueHash.length
  if (length > leafScratch.length) return sha256(concat(Uint8Array.of(0), key, valueHash))
  leafScratch.set(key, 1)
  leafScratch.set(valueHash, 1 + key.length)
  return sha256(leafScratch.subarray(0, length))
}

/** `leafHash(path, SHA-256(record))`, for a path of 32 bytes: the leaf of a cell. */
export function cellLeaf(path: Uint8Array, record: Uint8Array): Uint8Array {
  cellLeafScratch.set(path, 1)
  sha256Into(cellValueHash, record)
  return sha256(cellLeafScratch)
}

/** `H(left || right)` of two 32-byte hashes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concat(left, right))
}

/** Bit `depth` of a key, the first being the highest of its first byte. */
export function bitAt(key: Uint8Array, depth: number): 0 | 1 {
  return (key[depth >> 3]! & (0x80 >> (depth & 7))) === 0 ? 0 : 1
}

/** True if the first `bits` bits of both keys are the same. */
export function sharesPrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  for (let depth = 0; depth < bits; depth++) if (bitAt(a, depth) !== bitAt(b, depth)) return false
  return true
}

/** The entries by key, checked to make one trie. */
export function sortEntries(entries: Iterable<TrieEntry>, depth: number): TrieEntry[] {
  const sorted = [...entries].sort((a, b) => compare(a.key, b.key))
  for (let i = 1; i < sorted.length; i++) {
    const { key } = sorted[i]!
    const before = sorted[i - 1]!.key
    if (key.length !== before.length) throw new TrieError('KEY_LENGTH', 'the keys of a trie have one length')
    if (equal(key, before)) throw new TrieError('DUPLICATE_KEY', 'a trie has each key once')
    if (!sharesPrefix(key, before, depth)) {
      throw new TrieError('OUTSIDE_PREFIX', `the keys of a trie that starts at depth ${depth} share so many bits`)
    }
  }
  return sorted
}

/** Where, in the sorted range that shares `depth` bits, the keys begin whose next bit is 1. */
export function splitAt(sorted: readonly TrieEntry[], from: number, to: number, depth: number): number {
  let low = from
  let high = to
  while (low < high) {
    const middle = (low + high) >> 1
    if (bitAt(sorted[middle]!.key, depth) === 0) low = middle + 1
    else high = middle
  }
  return low
}

/** The subtree of a sorted range whose keys share `depth` bits. */
export function subtreeOfRange(sorted: readonly TrieEntry[], from: number, to: number, depth: number): Subtree {
  if (from === to) return EMPTY
  if (to - from === 1) return { kind: 'leaf', ...sorted[from]! }
  const middle = splitAt(sorted, from, to, depth)
  const left = subtreeOfRange(sorted, from, middle, depth + 1)
  const right = subtreeOfRange(sorted, middle, to, depth + 1)
  return { kind: 'node', hash: nodeHash(subtreeRoot(left), subtreeRoot(right)) }
}
