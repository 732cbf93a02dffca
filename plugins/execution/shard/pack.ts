import { Writer } from '../../../protocol/index.ts'
import { BlockCommitted } from '../api.ts'
import type { Execution } from './execution.ts'
import type { IncludedTransaction, MadeBlock } from './made-block.ts'

/** Pieces that stand one after the other, by where each begins. */
export function slices(bytes: Uint8Array, starts: readonly number[]): Uint8Array[] {
  return starts.map((start, i) => bytes.subarray(start, starts[i + 1] ?? bytes.length))
}

/** The body of a block, and where each transaction begins in it. */
export function packBody(included: readonly IncludedTransaction[]): { body: Uint8Array; bodyAt: number[] } {
  const writer = new Writer(512 * included.length + 16)
  writer.arrayHeader(included.length)
  const bodyAt: number[] = []
  for (const { entry } of included) {
    bodyAt.push(writer.length)
    writer.raw(entry.wire)
  }
  return { body: writer.view(), bodyAt }
}

/** The block's own event, then those of its calls: CBOR [[topic, payload, origin, action]...]. */
export function packEvents(execution: Execution, header: MadeBlock['header'], hash: Uint8Array): MadeBlock['events'] {
  const count = execution.eventCount + 1
  const calls = execution.events.view()
  const writer = new Writer(calls.length + 512)
  writer.arrayHeader(count)
  writer.value([
    BlockCommitted.id,
    { shard: header.shard, height: header.height, hash, txCount: header.txCount, time: header.time },
    new Uint8Array(0),
    0,
  ])
  writer.raw(calls)
  return { topics: [BlockCommitted.id, ...execution.topics], count, body: writer.view() }
}
