import { decodeHeader, ROOT_REALM, ROOT_SHARD } from '../../../protocol/index.ts'
import { MAX_CONGESTION, nextBasePrice, type PricedBlock } from '../ledger/base-price.ts'
import type { BlockOutgoing } from '../root/feeder.ts'
import type { BlockReport } from '../shard/messages.ts'
import { CONGESTED, type ShardLoad } from '../shard/throttle.ts'

/**
 * Messages that a root block runs before the root chain counts as congested: about 50 ms of the node's main thread. It
 * sets nothing aside, and all shards wait for it.
 */
const ROOT_MESSAGES = 500

/** What shards charge and how busy they are, as their last blocks say. */
export class ShardLoads {
  readonly #floor: bigint
  readonly #blocks = new Map<string, PricedBlock & { readonly congestion: number }>()

  #root = 0

  /** `floor`: the network's own price. */
  constructor(floor: bigint) {
    this.#floor = floor
  }

  /** Takes a shard's last block in. */
  note({ shard, header, bodyBytes }: Pick<BlockReport, 'shard' | 'header' | 'bodyBytes'>): void {
    const { basePrice, rootCursor, txWeight, weight, txCount, congestion } = decodeHeader(header)
    const weights = { txWeight: Number(txWeight), weight: Number(weight) }
    this.#blocks.set(shard, { basePrice, rootCursor, ...weights, txCount, bodyBytes, congestion })
  }

  /** Takes in what a root block lists: the next one runs what of it goes to the root chain. */
  noteRoot(outgoing: readonly BlockOutgoing[]): void {
    let messages = 0
    // They are sorted by realm, and that of the root chain is the highest.
    for (const { index } of outgoing)
      for (let i = index.realms.length - 1; i >= 0 && index.realms[i] === ROOT_REALM; i--) messages++
    this.#root = Math.min(MAX_CONGESTION, Math.floor((100 * messages) / ROOT_MESSAGES))
  }

  /** How much the root chain has to do, as a shard's congestion. */
  get root(): number {
    return this.#root
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
    if (this.#root >= CONGESTED) loads.push({ shard: ROOT_SHARD, congestion: this.#root, senders: this.#blocks.size })
    return loads
  }
}
