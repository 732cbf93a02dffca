import type { BlockHeader } from '../../../protocol/index.ts'
import type { PricedBlock } from '../ledger/base-price.ts'
import type { Totals } from './made-block.ts'

/** Where a shard stands after its last block. */
export interface ChainTip extends PricedBlock {
  readonly height: number
  readonly hash: Uint8Array
  readonly arrivals: number
  /** Milliseconds since 1970. */
  readonly time: number
  readonly totals: Totals
}

/** What a block's header does not say about the tip that it makes. */
export type TipParts = Pick<ChainTip, 'hash' | 'bodyBytes' | 'totals'>

/** The tip after a block. */
export const tipAfter = (header: BlockHeader, { hash, bodyBytes, totals }: TipParts): ChainTip => ({
  height: header.height,
  hash,
  rootCursor: header.rootCursor,
  arrivals: header.arrivals,
  time: header.time,
  basePrice: header.basePrice,
  txWeight: Number(header.txWeight),
  weight: Number(header.weight),
  txCount: header.txCount,
  bodyBytes,
  totals,
})
