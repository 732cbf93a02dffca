import { compare } from './bytes.ts'
import { decodeListRange, encodeListRange, type ListRangeProof, listRangeProof, verifyListRange } from './list-range.ts'
import { decodeOutItem, type OutItem } from './message.ts'
import { Reader } from './reader.ts'
import { type Shard, shardHolds } from './shard-id.ts'
import { Writer } from './writer.ts'

/** All that a block sent to one shard: that it is in the block's `outRoot`, and that nothing is left out. */
export interface MessagesProof {
  /** CBOR of the block's header, or of a root block's for what the root chain sent. */
  readonly header: Uint8Array
  /** The out item in front of the first; null if the list begins there. */
  readonly before: Uint8Array | null
  /** Encoded out items, in the order of the list. */
  readonly items: readonly Uint8Array[]
  /** The out item behind the last; null if the list ends there. */
  readonly after: Uint8Array | null
  /** Of the items with both neighbours. */
  readonly range: ListRangeProof
}

/** CBOR[header, before | null, items, after | null, range proof], the items and the proof as byte strings. */
export function encodeMessagesProof(proof: MessagesProof): Uint8Array {
  const writer = new Writer()
  writer.value([proof.header, proof.before, proof.items, proof.after, encodeListRange(proof.range)])
  return writer.finish()
}

/** The proof of its CBOR; byte strings are views. @throws CodecError MALFORMED or NOT_CANONICAL. */
export function decodeMessagesProof(bytes: Uint8Array): MessagesProof {
  const reader = new Reader(bytes)
  reader.arrayOf(5)
  const header = reader.bytes()
  const before = reader.optional() ? reader.bytes() : null
  const items: Uint8Array[] = []
  for (let left = reader.arrayHeader(); left > 0; left--) items.push(reader.bytes())
  const after = reader.optional() ? reader.bytes() : null
  const range = decodeListRange(reader.bytes())
  reader.done()
  return { header, before, items, after, range }
}

/**
 * Proves what a block sent to a shard; `to` may also be a part of one, named by a longer prefix.
 * @param header CBOR of the block's header
 * @param out the block's encoded out items, in their order
 * @throws CodecError if an item cannot be read
 */
export function messagesProof(header: Uint8Array, out: readonly Uint8Array[], to: Shard): MessagesProof {
  const from = firstWhere(out, (item) => placeOf(item, to) >= 0)
  const end = firstWhere(out, (item) => placeOf(item, to) > 0)
  const first = Math.max(0, from - 1)
  const last = Math.min(out.length, end + 1)
  return {
    header,
    before: from > 0 ? out[from - 1]! : null,
    items: out.slice(from, end),
    after: end < out.length ? out[end]! : null,
    range: listRangeProof(out, first, last - first),
  }
}

/**
 * The out items that a proof shows, decoded and in order; undefined if it does not hold.
 * @param outRoot of the header, 32 bytes
 * @throws CodecError if an item cannot be read
 */
export function provenMessages(proof: MessagesProof, outRoot: Uint8Array, to: Shard): OutItem[] | undefined {
  const { before, items, after, range } = proof
  const run = [...(before === null ? [] : [before]), ...items, ...(after === null ? [] : [after])]
  // Without a neighbour, the list has to end there.
  if (before === null && range.first !== 0) return undefined
  if (after === null && range.first + run.length !== range.count) return undefined
  if (before !== null && placeOf(before, to) >= 0) return undefined
  if (after !== null && placeOf(after, to) <= 0) return undefined
  if (items.some((item) => placeOf(item, to) !== 0)) return undefined
  return verifyListRange(outRoot, run, range) ? items.map(decodeOutItem) : undefined
}

/** Whether an out item stands before (-1), among (0) or behind (1) those that go to a shard. */
function placeOf(item: Uint8Array, to: Shard): -1 | 0 | 1 {
  const reader = new Reader(item)
  reader.arrayOf(4)
  const realm = reader.uint()
  const path = reader.bytesOf(32)
  if (realm !== to.realm) return realm < to.realm ? -1 : 1
  if (shardHolds(to, realm, path)) return 0
  return compare(path, firstPath(to)) < 0 ? -1 : 1
}

/** The lowest path below a shard's prefix. */
function firstPath({ prefix }: Shard): Uint8Array {
  const path = new Uint8Array(32)
  for (let i = 0; i < prefix.length; i++) if (prefix[i] === '1') path[i >> 3]! |= 0x80 >> (i & 7)
  return path
}

/** The first index at which a condition holds that, once it does, holds to the end. */
function firstWhere<T>(list: readonly T[], holds: (item: T) => boolean): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(list[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
