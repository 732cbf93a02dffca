import type { PageRequest } from '../../../schema/index.ts'
import type { Sql } from '../../../server/plugin.ts'
import { type BlockRecord, type BlockRow, blockColumns, blockRow } from './blocks.ts'
import type { ShardDatabases } from './shard-databases.ts'
import { askOne, compareKeys, mergeAll } from './spread.ts'

/** Where a block is among its shard's. */
export type HeightKey = readonly [height: number]

/** Where a block is among all: its time in milliseconds, shard and height. */
export type TimeKey = readonly [time: number, shard: string, height: number]

export const heightKey = ({ height }: BlockRow): HeightKey => [height]
export const timeKey = ({ time, shard, height }: BlockRow): TimeKey => [time.getTime(), shard, height]

/** Blocks of one shard by height. One statement. */
export async function blocksOfShard(
  databases: ShardDatabases,
  shard: string,
  page: PageRequest<HeightKey>,
): Promise<BlockRow[]> {
  const home = await databases.of(shard)
  return askOne(databases, home, (sql) => blocksOfShardIn(sql, shard, page))
}

async function blocksOfShardIn(sql: Sql, shard: string, page: PageRequest<HeightKey>): Promise<BlockRow[]> {
  const { limit, after, before, reverse } = page
  const rows = await sql<BlockRecord[]>`
    SELECT ${blockColumns(sql)} FROM block b
    WHERE b.shard = ${shard}
      ${after === undefined ? sql`` : sql`AND b.height > ${after[0]}`}
      ${before === undefined ? sql`` : sql`AND b.height < ${before[0]}`}
    ORDER BY b.height ${reverse ? sql`DESC` : sql``} LIMIT ${limit}`
  return rows.map(blockRow)
}

/** Blocks of all shards by time, then by shard and height. One statement for each database. */
export function blocksByTime(databases: ShardDatabases, page: PageRequest<TimeKey>): Promise<readonly BlockRow[]> {
  const sign = page.reverse ? -1 : 1
  const compare = (a: BlockRow, b: BlockRow): number => sign * compareKeys(timeKey(a), timeKey(b))
  return mergeAll(databases, page.limit, compare, (sql) => blocksByTimeIn(sql, page))
}

async function blocksByTimeIn(sql: Sql, page: PageRequest<TimeKey>): Promise<BlockRow[]> {
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
