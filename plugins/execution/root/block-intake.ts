import { decodeHeader, ROOT_SHARD } from '../../../protocol/index.ts'
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
  /** CBOR. */
  readonly header: Uint8Array
  readonly outgoing: Uint8Array
  readonly index: OutIndex
  readonly totals: Totals
}

/** A shard, and the height up to which its blocks were taken in. */
export interface Source {
  readonly host: { readonly id: string }
  height: number
}

/** What the blocks that no root block lists yet may be. */
export interface BacklogLimits {
  readonly blocks: number
  /** Of what they sent. */
  readonly bytes: number
}

const LIMITS: BacklogLimits = { blocks: 100_000, bytes: 1 << 30 }
/** From this share of it on, nothing more should be submitted: what waits in the shards needs the rest. */
const FULL_SHARE = 1 / 5

/** Shards make blocks, and root blocks do not list them. */
export class BacklogError extends Error {
  override readonly name = 'BacklogError'
  readonly code = 'ROOT_BEHIND'
}

export interface BlockIntakeParts {
  readonly roots: RootStore
  readonly orderer: Orderer
  readonly recent: RecentRoots
  readonly supply: SupplyCheck
  /** Called once, when nothing more is taken in: what follows is in the database, for the next start. */
  readonly onOverrun: (error: BacklogError) => void
  readonly limits?: BacklogLimits
}

/** Takes durable shard blocks to the root chain, and releases their messages once a root block lists them. */
export class BlockIntake {
  readonly #parts: BlockIntakeParts
  /** Out items of durable blocks that no root block lists yet. */
  readonly #outgoing = new Map<string, BlockOutgoing>()
  #bytes = 0
  #isHalted = false
  /** What the last root block sent: the next one delivers it. */
  #released: Uint8Array

  constructor(parts: BlockIntakeParts) {
    this.#parts = parts
    const { outgoing, totals } = parts.orderer.tip
    this.#released = outgoing
    parts.supply.listed(ROOT_SHARD, totals)
  }

  /** Root blocks come too late: what is submitted now would only make it worse. */
  get isBehind(): boolean {
    return this.#isBeyond(FULL_SHARE)
  }

  /**
   * Nothing more is taken in, since no root block will list it in this run. What was taken in before stays: a root block
   * that is on its way releases all that it lists.
   */
  halt(): void {
    this.#isHalted = true
  }

  /** Hands a durable block to the root chain. @throws CodecError if its header is none: nothing of it is taken then */
  take(source: Source, block: DurableBlock): void {
    const { time } = decodeHeader(block.header)
    const place = { shard: source.host.id, height: block.height }
    source.height = block.height
    if (this.#isHalted) return
    if (this.#isBeyond(1)) {
      this.halt()
      const held = `${this.#outgoing.size} blocks that sent ${this.#bytes} bytes`
      this.#parts.onOverrun(
        new BacklogError(`root blocks do not keep up with shard blocks (${held}): mend the database, then start again`),
      )
      return
    }
    this.#bytes += block.outgoing.length
    this.#outgoing.set(placeKey(place), { ...place, bytes: block.outgoing, index: block.index })
    this.#parts.supply.block(place, block.totals)
    this.#parts.orderer.propose([{ ...place, hash: block.hash, time }])
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
      this.#bytes -= items?.bytes.length ?? 0
      if (items !== undefined && items.bytes.length > 0) outgoing.push(items)
    }
    if (this.#released.length > 0) outgoing.push(releasedBy(block.header.height, this.#released))
    this.#released = block.outgoing
    this.#parts.recent.add({
      height: block.header.height,
      time: block.header.time,
      exports: block.exports,
      random: block.header.random,
      outgoing,
    })
    this.#parts.supply.root(block)
  }

  #isBeyond(share: number): boolean {
    const { blocks, bytes } = this.#parts.limits ?? LIMITS
    return this.#outgoing.size >= share * blocks || this.#bytes >= share * bytes
  }
}

const placeKey = ({ shard, height }: BlockPlace): string => `${shard} ${height}`
