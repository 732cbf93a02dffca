import { hashInto } from '@chainsafe/hashtree'
import { compare, ZERO_HASH } from '../../../protocol/index.ts'
import { copySubtree, grown, grownIndex, LEAF, type Subtree, sharedBytes, sharedIndex } from './trie-arrays.ts'

/** A change to the trie: a leaf's new hash, or null to remove it. */
export interface LeafChange {
  readonly key: Uint8Array
  readonly leaf: Uint8Array | null
}

/** The way to a key: the hashes beside it, top down, and the leaf at its end. */
export interface TriePath {
  readonly siblings: readonly Uint8Array[]
  readonly end: { readonly key: Uint8Array; readonly leaf: Uint8Array } | null
}

/** A half of a trie, before it has arrays of its own. Threads hand it to each other without a copy. */
export interface TrieState extends Subtree {
  /** Of the half: that of the whole and one. */
  readonly depth: number
  /** 32 bytes. */
  readonly rootHash: Uint8Array
}

const HASH_BATCH = 1024

/**
 * The state trie of a shard: a binary Merkle trie over keys of equal length, in which a subtree with a single leaf is
 * that leaf (see protocol/trie.ts for the plain definition, which the tests compare with).
 *
 * It lives in flat arrays, about 110 bytes a cell, so that ten million cells cost the garbage collector nothing.
 * A batch of changes walks each touched path once, then hashes level by level, deepest first, in one call a level.
 */
export class Trie {
  /** Bytes of a key. */
  readonly keyBytes: number
  /** The bit that the root decides: the length of the shard's prefix. */
  readonly depth: number
  #root = 0
  #size = 0
  // Node 0 is the empty subtree.
  #hashes = sharedBytes(32 * 1024)
  // The same bytes as words: copying eight words needs no view for each hash.
  #words = new Uint32Array(this.#hashes.buffer)
  #left = sharedIndex(1024)
  #right = sharedIndex(1024)
  #nodes = 1
  #freeNodes: number[] = []
  // A leaf's `right` says where its key is.
  #keys: Uint8Array<SharedArrayBuffer>
  #keySlots = 0
  #freeKeys: number[] = []
  // Inner nodes to hash again, by depth.
  #dirty: number[][] = []
  readonly #input = new Uint8Array(64 * HASH_BATCH)
  readonly #inputWords = new Uint32Array(this.#input.buffer)
  readonly #output = new Uint8Array(32 * HASH_BATCH)
  readonly #outputWords = new Uint32Array(this.#output.buffer)

  constructor(options: { readonly keyBytes: number; readonly depth: number }) {
    this.keyBytes = options.keyBytes
    this.depth = options.depth
    this.#keys = sharedBytes(this.keyBytes * 512)
  }

  /** A half of a trie, with arrays of its own: the whole may change, or be forgotten, from now on. */
  static of(state: TrieState): Trie {
    const trie = new Trie(state)
    const { root, leaves, nodes, hashes, left, right, keys } = copySubtree(state)
    trie.#root = root
    trie.#size = leaves
    trie.#hashes = hashes
    trie.#words = new Uint32Array(hashes.buffer)
    trie.#left = left
    trie.#right = right
    trie.#nodes = nodes
    trie.#keys = keys
    trie.#keySlots = leaves
    return trie
  }

  /** The number of leaves. */
  get size(): number {
    return this.#size
  }

  /** The root hash, 32 bytes, a copy. */
  get root(): Uint8Array {
    return this.#root === 0 ? ZERO_HASH.slice() : this.#hashOf(this.#root).slice()
  }

  has(key: Uint8Array): boolean {
    let node = this.#root
    let depth = this.depth
    while (node !== 0 && this.#left[node] !== LEAF) {
      node = bit(key, depth) === 0 ? this.#left[node]! : this.#right[node]!
      depth++
    }
    return node !== 0 && this.#sameKey(node, key)
  }

  /**
   * What stands beside the way to a key, top down, and where the way ends: at the key's own leaf, at another key's
   * (which proves that this one is absent), or at an empty subtree.
   */
  path(key: Uint8Array): TriePath {
    const siblings: Uint8Array[] = []
    let node = this.#root
    let depth = this.depth
    while (node !== 0 && this.#left[node] !== LEAF) {
      const [next, beside] =
        bit(key, depth) === 0 ? [this.#left[node]!, this.#right[node]!] : [this.#right[node]!, this.#left[node]!]
      siblings.push(beside === 0 ? ZERO_HASH.slice() : this.#hashOf(beside).slice())
      node = next
      depth++
    }
    return { siblings, end: node === 0 ? null : { key: this.#keyOf(node).slice(), leaf: this.#hashOf(node).slice() } }
  }

  /** The only leaf, if there is one only. */
  get onlyLeaf(): { readonly key: Uint8Array; readonly leaf: Uint8Array } | undefined {
    if (this.#size !== 1) return undefined
    return { key: this.#keyOf(this.#root).slice(), leaf: this.#hashOf(this.#root).slice() }
  }

  /**
   * The tries of both halves, keys whose next bit is 0 first; `join` (protocol/trie.ts) of their roots is this trie's
   * root. Nothing is copied: the trie must not be updated before `Trie.of` was called with both, in whatever threads.
   * Until the trie is forgotten the three take twice its memory.
   */
  split(): readonly [TrieState, TrieState] {
    const root = this.#root
    const isInner = root !== 0 && this.#left[root] !== LEAF
    const lone = isInner || root === 0 ? undefined : bit(this.#keyOf(root), this.depth)
    const half = (node: number): TrieState => ({
      keyBytes: this.keyBytes,
      depth: this.depth + 1,
      root: node,
      rootHash: this.#hashOf(node).slice(),
      nodes: this.#nodes,
      hashes: this.#hashes,
      left: this.#left,
      right: this.#right,
      keys: this.#keys,
    })
    if (isInner) return [half(this.#left[root]!), half(this.#right[root]!)]
    return [half(lone === 0 ? root : 0), half(lone === 1 ? root : 0)]
  }

  /** Applies changes, sorted by key, each key once, and brings all hashes up to date. */
  update(changes: readonly LeafChange[]): void {
    if (changes.length === 0) return
    this.#root = this.#apply(this.#root, this.depth, changes, 0, changes.length)
    this.#hashDirty()
  }

  #apply(node: number, depth: number, changes: readonly LeafChange[], from: number, to: number): number {
    if (from === to) return node
    if (node === 0 || this.#left[node] === LEAF) return this.#applyToLeaf(node, depth, changes, from, to)
    const middle = split(changes, depth, from, to)
    const left = this.#apply(this.#left[node]!, depth + 1, changes, from, middle)
    const right = this.#apply(this.#right[node]!, depth + 1, changes, middle, to)
    if (left === 0 || right === 0) {
      const only = left === 0 ? right : left
      // A subtree with a single leaf is that leaf.
      if (only === 0 || this.#left[only] === LEAF) {
        this.#freeNodes.push(node)
        return only
      }
    }
    return this.#setInner(node, depth, left, right)
  }

  /** Below an empty subtree or a leaf: what is left of it, together with what is new. */
  #applyToLeaf(node: number, depth: number, changes: readonly LeafChange[], from: number, to: number): number {
    const leaves: number[] = []
    let old = node
    for (let i = from; i < to; i++) {
      const change = changes[i]!
      if (old !== 0) {
        const order = compare(this.#keyOf(old), change.key)
        if (order < 0) {
          leaves.push(old)
          old = 0
        } else if (order === 0) {
          if (change.leaf === null) this.#dropLeaf(old)
          else {
            this.#hashes.set(change.leaf, 32 * old)
            leaves.push(old)
          }
          old = 0
          continue
        }
      }
      if (change.leaf !== null) leaves.push(this.#newLeaf(change.key, change.leaf))
    }
    if (old !== 0) leaves.push(old)
    return this.#build(leaves, depth, 0, leaves.length)
  }

  #build(leaves: readonly number[], depth: number, from: number, to: number): number {
    if (from === to) return 0
    if (to - from === 1) return leaves[from]!
    let middle = from
    while (middle < to && bit(this.#keyOf(leaves[middle]!), depth) === 0) middle++
    const left = this.#build(leaves, depth + 1, from, middle)
    const right = this.#build(leaves, depth + 1, middle, to)
    return this.#setInner(this.#newNode(), depth, left, right)
  }

  #setInner(node: number, depth: number, left: number, right: number): number {
    this.#left[node] = left
    this.#right[node] = right
    let level = this.#dirty[depth]
    if (level === undefined) {
      level = []
      this.#dirty[depth] = level
    }
    level.push(node)
    return node
  }

  #hashDirty(): void {
    for (let depth = this.#dirty.length - 1; depth >= this.depth; depth--) {
      const level = this.#dirty[depth]
      if (level === undefined || level.length === 0) continue
      for (let from = 0; from < level.length; from += HASH_BATCH) this.#hashBatch(level, from)
      level.length = 0
    }
  }

  #hashBatch(level: readonly number[], from: number): void {
    const count = Math.min(HASH_BATCH, level.length - from)
    const input = this.#inputWords
    const words = this.#words
    for (let i = 0; i < count; i++) {
      const node = level[from + i]!
      // Node 0 keeps a zero hash, so an empty side needs no case of its own.
      const left = 8 * this.#left[node]!
      const right = 8 * this.#right[node]!
      for (let word = 0; word < 8; word++) {
        input[16 * i + word] = words[left + word]!
        input[16 * i + 8 + word] = words[right + word]!
      }
    }
    hashInto(this.#input.subarray(0, 64 * count), this.#output.subarray(0, 32 * count))
    const output = this.#outputWords
    for (let i = 0; i < count; i++) {
      const at = 8 * level[from + i]!
      for (let word = 0; word < 8; word++) words[at + word] = output[8 * i + word]!
    }
  }

  #newLeaf(key: Uint8Array, leaf: Uint8Array): number {
    const slot = this.#freeKeys.pop() ?? this.#keySlots++
    if (slot * this.keyBytes >= this.#keys.length) this.#keys = grown(this.#keys)
    this.#keys.set(key, slot * this.keyBytes)
    const node = this.#newNode()
    this.#left[node] = LEAF
    this.#right[node] = slot
    this.#hashes.set(leaf, 32 * node)
    this.#size++
    return node
  }

  #dropLeaf(node: number): void {
    this.#freeKeys.push(this.#right[node]!)
    this.#freeNodes.push(node)
    this.#size--
  }

  #newNode(): number {
    const free = this.#freeNodes.pop()
    if (free !== undefined) return free
    if (this.#nodes === this.#left.length) {
      this.#hashes = grown(this.#hashes)
      this.#words = new Uint32Array(this.#hashes.buffer)
      this.#left = grownIndex(this.#left)
      this.#right = grownIndex(this.#right)
    }
    return this.#nodes++
  }

  #hashOf(node: number): Uint8Array {
    return this.#hashes.subarray(32 * node, 32 * node + 32)
  }

  #keyOf(leaf: number): Uint8Array {
    const at = this.#right[leaf]! * this.keyBytes
    return this.#keys.subarray(at, at + this.keyBytes)
  }

  #sameKey(leaf: number, key: Uint8Array): boolean {
    const at = this.#right[leaf]! * this.keyBytes
    for (let i = 0; i < this.keyBytes; i++) if (this.#keys[at + i] !== key[i]) return false
    return true
  }
}

function bit(key: Uint8Array, depth: number): number {
  return (key[depth >> 3]! >> (7 - (depth & 7))) & 1
}

/** Where the changes whose bit is 1 begin. */
function split(changes: readonly LeafChange[], depth: number, from: number, to: number): number {
  let low = from
  let high = to
  while (low < high) {
    const middle = (low + high) >> 1
    if (bit(changes[middle]!.key, depth) === 0) low = middle + 1
    else high = middle
  }
  return low
}
