import { decodeHeader } from '../../../protocol/index.ts'
import { nextBasePrice, type PricedBlock } from '../ledger/base-price.ts'
import type { BlockReport } from '../shard/messages.ts'
import { CONGESTED, type ShardLoad } from '../shard/throttle.ts'

/** What shards charge and how busy they are, as their last blocks say. */
export class ShardLoads {
  readonly #floor: bigint
  readonly #blocks = new Map<string, PricedBlock & { readonly congestion: number }>()

  /** `floor`: the network's own price. */
  constructor(floor: bigint) {
    this.#floor = floor
  }

  /** Takes a shard's last block in. */
  note({ shard, header, bodyBytes }: Pick<BlockReport, 'shard' | 'header' | 'bodyBytes'>): void {
    const { basePrice, rootCursor, weight, txCount, congestion } = decodeHeader(header)
    this.#blocks.set(shard, { basePrice, rootCursor, weight: Number(weight), txCount, bodyBytes, congestion })
  }

  /** The shard makes no more blocks. */
  forget(shard: string): void {
    this.#blocks.delete(shard)
  }

  /** What a shard's next block charges for a unit of weight, and the congestion of its last. */
  of(shard: string, rootHeight: number): { readonly basePrice: bigint; readonly congestion: number } {
    const block = this.#blocks.get(shard)
    if (block === undefined) return { basePrice: this.#floor, congestion: 0 }
    return { basePrice: nextBasePrice(block, rootHeight, this.#floor), congestion: block.congestion }
  }

  /** The shards that others must not send to as they like. */
  get congested(): ShardLoad[] {
    const loads: ShardLoad[] = []
    const senders = this.#blocks.size - 1
    for (const [shard, { congestion }] of this.#blocks)
      if (congestion >= CONGESTED) loads.push({ shard, congestion, senders })
    return loads
  }
}
