import { bodyHash, encodeBody } from './body.ts'
import { equal, ZERO_HASH } from './bytes.ts'
import { CodecError } from './errors.ts'
import { type BlockHeader, decodeHeader, encodeHeader, headerHash } from './header.ts'
import { listRoot } from './list.ts'
import { Reader } from './reader.ts'
import { MAX_PREFIX, parseShardId, prefixOf, ROOT_SHARD } from './shard-id.ts'
import { join, leafHash, type Subtree, subtreeRoot, type TrieEntry } from './trie.ts'
import { Writer } from './writer.ts'

/** That a shard was split into its two children: follows from headers alone. */
export interface SplitProof {
  /** CBOR of the header of the shard's last block. */
  readonly parent: Uint8Array
  /** CBOR of the headers of its children's first blocks: bit 0, bit 1. */
  readonly children: readonly [Uint8Array, Uint8Array]
  /**
   * The only leaf of the cells, of the deferred messages: needed if one half is empty and the root of the other is the
   * root of the whole. Only a lone leaf is pulled up like that, so it is opened to show that it is one.
   */
  readonly cell?: TrieEntry
  readonly deferred?: TrieEntry
}

/** What a split proof shows, if it holds. The hashes are to be compared with ones that the root chain commits. */
export interface ProvenSplit {
  readonly parent: BlockHeader
  readonly parentHash: Uint8Array
  readonly children: readonly [BlockHeader, BlockHeader]
  readonly childHashes: readonly [Uint8Array, Uint8Array]
}

/** The header of the first block of a shard that was split off: all but its state follows from its parent's last one. */
export function childHeader(
  parent: BlockHeader,
  bit: 0 | 1,
  roots: Pick<BlockHeader, 'cellsRoot' | 'deferredRoot'>,
): BlockHeader {
  return {
    ...firstHeader(`${parent.shard}${bit}`, parent),
    height: parent.height + 1,
    prevHash: headerHash(encodeHeader(parent)),
    arrivals: parent.arrivals,
    congestion: parent.congestion,
    ...roots,
  }
}

/** The header of the first block of a shard that was split off from none, and begins with nothing. */
export function firstHeader(
  shard: string,
  { rootCursor, basePrice, time }: Pick<BlockHeader, 'rootCursor' | 'basePrice' | 'time'>,
): BlockHeader {
  return {
    shard,
    height: 0,
    prevHash: ZERO_HASH,
    rootCursor,
    txRoot: listRoot([]),
    outRoot: listRoot([]),
    cellsRoot: ZERO_HASH,
    deferredRoot: ZERO_HASH,
    arrivals: 0,
    basePrice,
    bodyHash: bodyHash(encodeBody([])),
    txCount: 0,
    txWeight: 0n,
    weight: 0n,
    congestion: 0,
    time,
  }
}

/** CBOR[parent, left, right, cell | null, deferred | null], each leaf [key, valueHash]. */
export function encodeSplitProof({ parent, children, cell, deferred }: SplitProof): Uint8Array {
  const writer = new Writer()
  const leaf = (entry: TrieEntry | undefined) => (entry === undefined ? null : [entry.key, entry.valueHash])
  writer.value([parent, ...children, leaf(cell), leaf(deferred)])
  return writer.finish()
}

/** The proof of its CBOR. @throws CodecError MALFORMED or NOT_CANONICAL. */
export function decodeSplitProof(bytes: Uint8Array): SplitProof {
  const reader = new Reader(bytes)
  reader.arrayOf(5)
  const parent = reader.bytes()
  const children = [reader.bytes(), reader.bytes()] as const
  const cell = readLeaf(reader, 32)
  const deferred = readLeaf(reader, 40)
  reader.done()
  return { parent, children, ...(cell && { cell }), ...(deferred && { deferred }) }
}

function readLeaf(reader: Reader, keyBytes: number): TrieEntry | undefined {
  if (!reader.optional()) return undefined
  reader.arrayOf(2)
  return { key: reader.bytesOf(keyBytes), valueHash: reader.bytesOf(32) }
}

/**
 * Checks that a shard's state went over to its children, all of it and nothing else. Undefined if it did not, whatever
 * is wrong with the bytes.
 */
export function verifySplit(bytes: Uint8Array): ProvenSplit | undefined {
  try {
    const { parent: encoded, children: encodedChildren, cell, deferred } = decodeSplitProof(bytes)
    const parent = decodeHeader(encoded)
    const children = [decodeHeader(encodedChildren[0]), decodeHeader(encodedChildren[1])] as const
    const { prefix } = parseShardId(parent.shard)
    if (parent.shard === ROOT_SHARD || prefix.length >= MAX_PREFIX) return undefined
    for (const bit of [0, 1] as const) {
      const { cellsRoot, deferredRoot } = children[bit]
      const expected = encodeHeader(childHeader(parent, bit, { cellsRoot, deferredRoot }))
      if (!equal(expected, encodedChildren[bit])) return undefined
    }
    const [left, right] = children
    const cells = [left.cellsRoot, right.cellsRoot] as const
    const waiting = [left.deferredRoot, right.deferredRoot] as const
    if (!isJoin(parent.cellsRoot, cells, prefix, cell)) return undefined
    if (!isJoin(parent.deferredRoot, waiting, prefix, deferred)) return undefined
    return {
      parent,
      parentHash: headerHash(encoded),
      children,
      childHashes: [headerHash(encodedChildren[0]), headerHash(encodedChildren[1])],
    }
  } catch (error) {
    if (error instanceof CodecError) return undefined
    throw error
  }
}

/** True if `whole` is the root of a trie whose halves have these roots. `leaf` is opened if it is the only one. */
function isJoin(
  whole: Uint8Array,
  halves: readonly [Uint8Array, Uint8Array],
  prefix: string,
  leaf: TrieEntry | undefined,
): boolean {
  const top = (bit: 0 | 1): Subtree => {
    if (equal(halves[bit], ZERO_HASH)) return { kind: 'empty' }
    const isLeaf =
      leaf !== undefined &&
      prefixOf(leaf.key, prefix.length + 1) === `${prefix}${bit}` &&
      equal(leafHash(leaf.key, leaf.valueHash), halves[bit])
    return isLeaf ? { kind: 'leaf', ...leaf } : { kind: 'node', hash: halves[bit] }
  }
  const joined = join(top(0), top(1))
  // A leaf is opened where it is needed only, so that a split has one proof.
  if (leaf !== undefined && joined.kind !== 'leaf') return false
  return equal(subtreeRoot(joined), whole)
}
