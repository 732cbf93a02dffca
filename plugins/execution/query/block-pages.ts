import type { PageRequest } from '../../../schema/index.ts'
import type { Sql } from '../../../server/plugin.ts'
import { type BlockRecord, type BlockRow, blockColumns, blockRow } from './blocks.ts'

/** Where a block is among its shard's. */
export type HeightKey = readonly [height: number]

/** Where a block is among all: its time in milliseconds, shard and height. */
export type TimeKey = readonly [time: number, shard: string, height: number]

export const heightKey = ({ height }: BlockRow): HeightKey => [height]
export const timeKey = ({ time, shard, height }: BlockRow): TimeKey => [time.getTime(), shard, height]

/** Blocks of one shard by height. One statement. */
export async function blocksOfShard(sql: Sql, shard: string, page: PageRequest<HeightKey>): Promise<BlockRow[]> {
  const { limit, after, before, reverse } = page
  const rows = await sql<BlockRecord[]>`
    SELECT ${blockColumns(sql)} FROM block b
    WHERE b.shard = ${shard}
      ${after === undefined ? sql`` : sql`AND b.height > ${after[0]}`}
      ${before === undefined ? sql`` : sql`AND b.height < ${before[0]}`}
    ORDER BY b.height ${reverse ? sql`DESC` : sql``} LIMIT ${limit}`
  return rows.map(blockRow)
}

/** Blocks of all shards by time, then by shard and height. One statement. */
export async function blocksByTime(sql: Sql, page: PageRequest<TimeKey>): Promise<BlockRow[]> {
  const { limit, after, before, reverse } = page
  const key = ([time, shard, height]: TimeKey) => sql`(${new Date(time)}::timestamptz, ${shard}, ${height}::bigint)`
  const rows = await sql<BlockRecord[]>`
    SELECT ${blockColumns(sql)} FROM block b
    WHERE true
      ${after === undefined ? sql`` : sql`AND (b.time, b.shard, b.height) > ${key(after)}`}
      ${before === undefined ? sql`` : sql`AND (b.time, b.shard, b.height) < ${key(before)}`}
    ORDER BY ${reverse ? sql`b.time DESC, b.shard DESC, b.height DESC` : sql`b.time, b.shard, b.height`}
    LIMIT ${limit}`
  return rows.map(blockRow)
}
