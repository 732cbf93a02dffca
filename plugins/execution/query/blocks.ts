import type { Sql } from '../../../server/plugin.ts'
import type { BlockPlace } from '../api.ts'
import { hexes, inOrder } from './keys.ts'
import type { ShardDatabases } from './shard-databases.ts'
import { askAll, askByShard } from './spread.ts'

/** A block without its transactions. */
export interface BlockRow extends BlockPlace {
  readonly hash: Uint8Array
  /** CBOR of the header. */
  readonly header: Uint8Array
  readonly txCount: number
  readonly time: Date
  /** Bytes of the body. */
  readonly size: number
}

export interface BlockRecord {
  readonly shard: string
  readonly height: bigint
  readonly hash: Buffer
  readonly header: Buffer
  readonly tx_count: number
  readonly time: Date
  readonly size: number
}

/** The columns of BlockRecord, of a `b`. A body's length is known without reading it. */
export const blockColumns = (sql: Sql) => sql`
  b.shard, b.height, b.hash, b.header, b.tx_count, b.time, octet_length(b.body) AS size`

export const blockRow = (record: BlockRecord): BlockRow => ({
  shard: record.shard,
  height: Number(record.height),
  hash: record.hash,
  header: record.header,
  txCount: record.tx_count,
  time: record.time,
  size: record.size,
})

/** Names a place in maps. */
export const placeKey = ({ shard, height }: BlockPlace): string => `${shard}/${height}`

/** The places as two parallel lists for `unnest`. */
export const placeLists = (places: readonly BlockPlace[]) => ({
  shards: places.map(({ shard }) => shard),
  heights: places.map(({ height }) => height),
})

/** Blocks in the order of the places; null where there is none. One statement for each database. */
export function blocksByPlace(
  databases: ShardDatabases,
  places: readonly BlockPlace[],
): Promise<readonly (BlockRow | null)[]> {
  return askByShard(databases, places, blocksIn)
}

async function blocksIn(sql: Sql, places: readonly BlockPlace[]): Promise<(BlockRow | null)[]> {
  const { shards, heights } = placeLists(places)
  const rows = await sql<(BlockRecord & { at: bigint })[]>`
    SELECT wanted.at, ${blockColumns(sql)}
    FROM unnest(${shards}::text[], ${heights}::bigint[]) WITH ORDINALITY AS wanted (shard, height, at)
    JOIN block b ON b.shard = wanted.shard AND b.height = wanted.height`
  return inOrder(places.length, rows, blockRow)
}

/** Blocks in the order of their hashes; null for unknown ones. One statement for each database. */
export function blocksByHash(databases: ShardDatabases, hashes: readonly Uint8Array[]): Promise<(BlockRow | null)[]> {
  return askAll(databases, hashes.length, async (sql) => {
    const rows = await sql<(BlockRecord & { at: bigint })[]>`
      SELECT wanted.at, ${blockColumns(sql)}
      FROM unnest(${hexes(hashes)}::text[]) WITH ORDINALITY AS wanted (hash, at)
      JOIN block b ON b.hash = decode(wanted.hash, 'hex')`
    return inOrder(hashes.length, rows, blockRow)
  })
}

/** The receipts of whole blocks, one after the other as stored, in the order of the places. One statement for each database. */
export function receiptsByPlace(
  databases: ShardDatabases,
  places: readonly BlockPlace[],
): Promise<readonly (Uint8Array | null)[]> {
  return askByShard(databases, places, receiptsIn)
}

async function receiptsIn(sql: Sql, places: readonly BlockPlace[]): Promise<(Uint8Array | null)[]> {
  const { shards, heights } = placeLists(places)
  const rows = await sql<{ at: bigint; receipts: Buffer }[]>`
    SELECT wanted.at, b.receipts
    FROM unnest(${shards}::text[], ${heights}::bigint[]) WITH ORDINALITY AS wanted (shard, height, at)
    JOIN block b ON b.shard = wanted.shard AND b.height = wanted.height`
  return inOrder(places.length, rows, ({ receipts }) => receipts)
}

/** The out items of whole blocks, one after the other as stored, in the order of the places. One statement for each database. */
export function outgoingByPlace(
  databases: ShardDatabases,
  places: readonly BlockPlace[],
): Promise<readonly (Uint8Array | null)[]> {
  return askByShard(databases, places, outgoingIn)
}

async function outgoingIn(sql: Sql, places: readonly BlockPlace[]): Promise<(Uint8Array | null)[]> {
  const { shards, heights } = placeLists(places)
  const rows = await sql<{ at: bigint; outgoing: Buffer }[]>`
    SELECT wanted.at, b.outgoing
    FROM unnest(${shards}::text[], ${heights}::bigint[]) WITH ORDINALITY AS wanted (shard, height, at)
    JOIN (SELECT shard, height, outgoing FROM block UNION ALL SELECT shard, height, outgoing FROM imported_block) b
      ON b.shard = wanted.shard AND b.height = wanted.height`
  return inOrder(places.length, rows, ({ outgoing }) => outgoing)
}
