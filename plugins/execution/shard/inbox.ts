import { cellPath, concat, type Message, Reader, readMessage, u64be } from '../../../protocol/index.ts'
import type { ExportChange } from '../root/exports.ts'
import type { ShardLoad } from './throttle.ts'

/** What a root block brings to one shard. Every shard gets every root block, in order, most of them empty. */
export interface RootDelivery {
  readonly height: number
  /** Of its header, in milliseconds since 1970. */
  readonly time: number
  /** What this root block changed of what the root chain exports. */
  readonly exports: readonly ExportChange[]
  /** 32 bytes. */
  readonly random: Uint8Array
  /** By source shard, then block height: the out items addressed to this shard, encoded, one after the other. */
  readonly sources: readonly RootSource[]
  /** The shards that are congested now: what the proposer goes by, and no part of the chain. */
  readonly loads?: readonly ShardLoad[]
}

/** The items of one block that go to one shard. */
export interface RootSource {
  readonly shard: string
  readonly height: number
  readonly items: Uint8Array
}

/** A message that waits in the shard because a block had no room for it. */
export interface DeferredMessage {
  /** Destination path and arrival number, 40 bytes. */
  readonly key: Uint8Array
  readonly message: Message
  /** CBOR of the message. */
  readonly encoded: Uint8Array
}

/** A message that arrived, with its place among all that ever arrived at the shard. */
export interface Arrival {
  readonly arrival: number
  readonly message: Message
  readonly encoded: Uint8Array
}

/** Reads a delivery's messages in the order in which they are executed: source, block, emission. @throws CodecError */
export function arrivalsOf({ sources }: Pick<RootDelivery, 'sources'>, arrivedBefore: number): Arrival[] {
  const arrivals: Arrival[] = []
  for (const source of sources) {
    const found: { index: number; message: Message; encoded: Uint8Array }[] = []
    const reader = new Reader(source.items)
    while (reader.offset < source.items.length) {
      reader.arrayOf(4)
      reader.uint()
      reader.bytesOf(32)
      const index = reader.uint()
      const start = reader.offset
      const message = readMessage(reader)
      found.push({ index, message, encoded: source.items.subarray(start, reader.offset) })
    }
    found.sort((a, b) => a.index - b.index)
    for (const { message, encoded } of found) {
      arrivals.push({ arrival: arrivedBefore + arrivals.length, message, encoded })
    }
  }
  return arrivals
}

/** A message set aside under its key. */
export const deferred = ({ arrival, message, encoded }: Arrival): DeferredMessage => ({
  key: concat(cellPath(message.to), u64be(arrival)),
  message,
  encoded,
})
