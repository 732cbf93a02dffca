import { taggedHash } from './domain.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

/** The header of a shard's block. */
export interface BlockHeader {
  /** Name of the shard, like `0:01`. */
  readonly shard: string
  readonly height: number
  /** Hash of the header before, 32 bytes. */
  readonly prevHash: Uint8Array
  /** The root height up to which messages were taken in. */
  readonly rootCursor: number
  /** List root over the block's `Receipt`s, 32 bytes. */
  readonly txRoot: Uint8Array
  /** List root over the block's `OutItem`s, 32 bytes. */
  readonly outRoot: Uint8Array
  /** Trie root over the shard's cells, 32 bytes. */
  readonly cellsRoot: Uint8Array
  /** Trie root over deferred messages, 32 bytes. */
  readonly deferredRoot: Uint8Array
  /** How many messages have ever arrived at the shard. */
  readonly arrivals: number
  /** Price of one unit of weight, in the smallest unit. */
  readonly basePrice: bigint
  /** `bodyHash` of the block's body, 32 bytes. */
  readonly bodyHash: Uint8Array
  readonly txCount: number
  /** Weight of its transactions. */
  readonly txWeight: bigint
  /** Weight of all that the block ran: its transactions, and messages that it did not send itself. */
  readonly weight: bigint
  readonly congestion: number
  /** Milliseconds since 1970. */
  readonly time: number
}

const writer = new Writer()

/** CBOR of the header's sixteen items. */
export function encodeHeader(header: BlockHeader): Uint8Array {
  writer.reset()
  writer.arrayHeader(16)
  writer.text(header.shard)
  writer.uint(header.height)
  writer.bytes(header.prevHash)
  writer.uint(header.rootCursor)
  writer.bytes(header.txRoot)
  writer.bytes(header.outRoot)
  writer.bytes(header.cellsRoot)
  writer.bytes(header.deferredRoot)
  writer.uint(header.arrivals)
  writer.uint(header.basePrice)
  writer.bytes(header.bodyHash)
  writer.uint(header.txCount)
  writer.uint(header.txWeight)
  writer.uint(header.weight)
  writer.uint(header.congestion)
  writer.uint(header.time)
  return writer.finish()
}

/**
 * The header of its CBOR; hashes are views.
 * @throws CodecError MALFORMED or NOT_CANONICAL.
 */
export function decodeHeader(bytes: Uint8Array): BlockHeader {
  const reader = new Reader(bytes)
  reader.arrayOf(16)
  const header = {
    shard: reader.text(),
    height: reader.uint(),
    prevHash: reader.bytesOf(32),
    rootCursor: reader.uint(),
    txRoot: reader.bytesOf(32),
    outRoot: reader.bytesOf(32),
    cellsRoot: reader.bytesOf(32),
    deferredRoot: reader.bytesOf(32),
    arrivals: reader.uint(),
    basePrice: reader.amount(),
    bodyHash: reader.bytesOf(32),
    txCount: reader.uint(),
    txWeight: reader.amount(),
    weight: reader.amount(),
    congestion: reader.uint(),
    time: reader.uint(),
  }
  reader.done()
  return header
}

/** What the root chain commits of a block: the tagged hash of its header's CBOR. */
export function headerHash(encoded: Uint8Array): Uint8Array {
  return taggedHash('header', encoded)
}
