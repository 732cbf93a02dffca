import { CodecError, Reader } from '../../../protocol/index.ts'

/** Where the out items of a block go, so that routing them needs no decoding. In the order of the items. */
export interface OutIndex {
  readonly realms: Uint32Array
  /** The first 32 bits of each destination's path. */
  readonly pathBits: Uint32Array
  /** Where each item ends in the items' bytes. */
  readonly ends: Uint32Array
}

/** The index of encoded out items. */
export function indexOut(items: readonly Uint8Array[]): OutIndex {
  const index = {
    realms: new Uint32Array(items.length),
    pathBits: new Uint32Array(items.length),
    ends: new Uint32Array(items.length),
  }
  let end = 0
  items.forEach((item, i) => {
    const reader = new Reader(item)
    reader.arrayOf(4)
    index.realms[i] = reader.uint()
    const path = reader.bytesOf(32)
    index.pathBits[i] = ((path[0]! << 24) | (path[1]! << 16) | (path[2]! << 8) | path[3]!) >>> 0
    end += item.length
    index.ends[i] = end
  })
  return index
}

/** Each begins with a hash, or a head and a path: what is cut apart takes little more memory than before. */
const LEAST_BYTES = 33

/** Cuts stored out items, or receipts, which stand one after the other, apart. @throws CodecError */
export function splitOut(bytes: Uint8Array): Uint8Array[] {
  const reader = new Reader(bytes)
  const items: Uint8Array[] = []
  while (reader.offset < bytes.length) {
    const start = reader.offset
    reader.skip()
    if (reader.offset - start < LEAST_BYTES) throw new CodecError('MALFORMED', `an item at byte ${start} is too short`)
    items.push(bytes.subarray(start, reader.offset))
  }
  return items
}

/** The items that go to one shard: they are sorted by destination, so they stand together. `length` of prefix <= 32. */
export function itemsFor(
  bytes: Uint8Array,
  index: OutIndex,
  shard: { readonly realm: number; readonly prefix: string },
): Uint8Array {
  const shift = 32 - shard.prefix.length
  const bits = shard.prefix === '' ? 0 : Number.parseInt(shard.prefix, 2)
  const matches = (i: number): boolean =>
    index.realms[i] === shard.realm && (shift === 32 || index.pathBits[i]! >>> shift === bits)
  let from = 0
  while (from < index.ends.length && !matches(from)) from++
  let to = from
  while (to < index.ends.length && matches(to)) to++
  if (from === to) return new Uint8Array(0)
  return bytes.slice(from === 0 ? 0 : index.ends[from - 1], index.ends[to - 1])
}
