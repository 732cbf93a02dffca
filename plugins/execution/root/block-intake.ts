import { ROOT_SHARD } from '../../../protocol/index.ts'
import type { BlockPlace } from '../api.ts'
import type { SupplyCheck } from '../gateway/supply-check.ts'
import type { Totals } from '../shard/made-block.ts'
import { indexOut, type OutIndex, splitOut } from '../shard/out-index.ts'
import { type BlockOutgoing, type RecentRoots, releasedBy } from './feeder.ts'
import type { Orderer, RootBlock } from './orderer.ts'
import type { RootStore } from './root-store.ts'

/** What the root chain needs of a durable block. */
export interface DurableBlock {
  readonly height: number
  readonly hash: Uint8Array
  readonly outgoing: Uint8Array
  readonly index: OutIndex
  readonly totals: Totals
}

/** A shard, and the height up to which its blocks were taken in. */
export interface Source {
  readonly host: { readonly id: string }
  height: number
}

export interface BlockIntakeParts {
  readonly roots: RootStore
  readonly orderer: Orderer
  readonly recent: RecentRoots
  readonly supply: SupplyCheck
}

/** Takes durable shard blocks to the root chain, and releases their messages once a root block lists them. */
export class BlockIntake {
  readonly #parts: BlockIntakeParts
  /** Out items of durable blocks that no root block lists yet. */
  readonly #outgoing = new Map<string, BlockOutgoing>()
  /** What the last root block sent: the next one delivers it. */
  #released: Uint8Array

  constructor(parts: BlockIntakeParts) {
    this.#parts = parts
    const { outgoing, totals } = parts.orderer.tip
    this.#released = outgoing
    parts.supply.listed(ROOT_SHARD, totals)
  }

  /** Hands a durable block to the root chain. */
  take(source: Source, block: DurableBlock): void {
    const place = { shard: source.host.id, height: block.height }
    source.height = block.height
    this.#outgoing.set(placeKey(place), { ...place, bytes: block.outgoing, index: block.index })
    this.#parts.supply.block(place, block.totals)
    this.#parts.orderer.propose([{ ...place, hash: block.hash }])
  }

  /** Takes in the shard's stored blocks that were not taken in yet, from the last one that a root block lists. */
  async takeUnlisted(source: Source): Promise<void> {
    for (const block of await this.#parts.roots.blocksFromLastListed(source.host.id)) {
      if (block.listed) {
        source.height = Math.max(source.height, block.height)
        this.#parts.supply.listed(source.host.id, block.totals)
      } else if (block.height > source.height) {
        this.take(source, { ...block, index: indexOut(splitOut(block.outgoing)) })
      }
    }
  }

  /** Releases what the blocks that a durable root block lists have sent. @throws SupplyInvariantError */
  release(block: RootBlock): void {
    const outgoing: BlockOutgoing[] = []
    for (const place of block.entries) {
      const key = placeKey(place)
      const items = this.#outgoing.get(key)
      this.#outgoing.delete(key)
      if (items !== undefined && items.bytes.length > 0) outgoing.push(items)
    }
    if (this.#released.length > 0) outgoing.push(releasedBy(block.header.height, this.#released))
    this.#released = block.outgoing
    this.#parts.recent.add({
      height: block.header.height,
      exports: block.exports,
      random: block.header.random,
      outgoing,
    })
    this.#parts.supply.root(block)
  }
}

const placeKey = ({ shard, height }: BlockPlace): string => `${shard} ${height}`
