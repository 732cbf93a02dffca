import { type BlockHeader, decodeHeader } from '../../../protocol/index.ts'
import { apiError } from '../../../schema/index.ts'
import type { BlockPlace } from '../api.ts'
import type { BlockRow } from '../query/blocks.ts'
import type { Loaders } from './loaders.ts'

/** A Block parent with what is known already. */
export interface KnownBlock extends BlockPlace {
  readonly row?: BlockRow
  /** Where it is in the stream of blocks, for a result of the subscription. */
  readonly cursor?: string
}

/** A page's row as a parent. */
export const fromBlockRow = (row: BlockRow): KnownBlock => ({ shard: row.shard, height: row.height, row })

export async function blockOf(loaders: Loaders, block: KnownBlock): Promise<BlockRow> {
  const row = block.row ?? (await loaders.blocks.load({ shard: block.shard, height: block.height }))
  if (row !== null) return row
  throw apiError('BLOCK_UNKNOWN', `Shard ${block.shard} has no block ${block.height}.`)
}

const headers = new WeakMap<BlockRow, BlockHeader>()

/** The block's header, decoded once for all fields that ask. */
export async function headerOf(loaders: Loaders, block: KnownBlock): Promise<BlockHeader> {
  const row = await blockOf(loaders, block)
  const header = headers.get(row) ?? decodeHeader(row.header)
  headers.set(row, header)
  return header
}
