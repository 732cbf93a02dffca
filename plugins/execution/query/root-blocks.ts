import type { PageRequest } from '../../../schema/index.ts'
import type { Sql } from '../../../server/plugin.ts'
import type { BlockPlace } from '../api.ts'
import { placeLists } from './blocks.ts'
import { inOrder } from './keys.ts'

/** A block of the root chain. */
export interface RootBlockRow {
  readonly height: number
  readonly hash: Uint8Array
  /** CBOR of the header. */
  readonly header: Uint8Array
  /** CBOR of the votes. */
  readonly votes: Uint8Array
  readonly time: Date
}

/** A root block with the shard blocks that it commits: CBOR list of [shard, height, header hash]. */
export interface RootEntries {
  readonly height: number
  readonly header: Uint8Array
  readonly entries: Uint8Array
}

interface RootRecord {
  readonly height: bigint
  readonly hash: Buffer
  readonly header: Buffer
  readonly votes: Buffer
  readonly time: Date
}

const rowOf = ({ height, hash, header, votes, time }: RootRecord): RootBlockRow => ({
  height: Number(height),
  hash,
  header,
  votes,
  time,
})

const columns = (sql: Sql) => sql`r.height, r.hash, r.header, r.votes, r.time`

/** The root blocks that committed these blocks, in the order of the places; null where none did yet. One statement. */
export async function rootBlocksByPlace(sql: Sql, places: readonly BlockPlace[]): Promise<(RootBlockRow | null)[]> {
  const { shards, heights } = placeLists(places)
  const rows = await sql<(RootRecord & { readonly at: bigint })[]>`
    SELECT wanted.at, ${columns(sql)}
    FROM unnest(${shards}::text[], ${heights}::bigint[]) WITH ORDINALITY AS wanted (shard, height, at)
    JOIN root_entry e ON e.shard = wanted.shard AND e.height = wanted.height
    JOIN root_block r ON r.height = e.root`
  return inOrder(places.length, rows, rowOf)
}

/** The root block at a height, if there is one. */
export async function rootBlockAt(sql: Sql, height: number): Promise<RootBlockRow | null> {
  const [row] = await sql<RootRecord[]>`SELECT ${columns(sql)} FROM root_block r WHERE r.height = ${height}`
  return row === undefined ? null : rowOf(row)
}

/** Root blocks by height. One statement. */
export async function rootBlockPage(
  sql: Sql,
  { limit, after, before, reverse }: PageRequest<readonly [height: number]>,
): Promise<RootBlockRow[]> {
  const rows = await sql<RootRecord[]>`
    SELECT ${columns(sql)} FROM root_block r
    WHERE true
      ${after === undefined ? sql`` : sql`AND r.height > ${after[0]}`}
      ${before === undefined ? sql`` : sql`AND r.height < ${before[0]}`}
    ORDER BY r.height ${reverse ? sql`DESC` : sql``} LIMIT ${limit}`
  return rows.map(rowOf)
}

/**
 * The heights of the root blocks that list these blocks, in the order of the places; null where none does yet, 'GONE'
 * where one did before what the database has: a later block of the shard is listed, and they are in order. One statement.
 */
export async function listedAt(sql: Sql, places: readonly BlockPlace[]): Promise<(number | 'GONE' | null)[]> {
  const { shards, heights } = placeLists(places)
  const rows = await sql<{ at: bigint; root: bigint | null }[]>`
    SELECT wanted.at, e.root
    FROM unnest(${shards}::text[], ${heights}::bigint[]) WITH ORDINALITY AS wanted (shard, height, at)
    LEFT JOIN root_entry e ON e.shard = wanted.shard AND e.height = wanted.height
    WHERE e.root IS NOT NULL
      OR EXISTS (SELECT FROM root_entry later WHERE later.shard = wanted.shard AND later.height > wanted.height)`
  return inOrder(places.length, rows, ({ root }) => (root === null ? 'GONE' : Number(root)))
}

/** Root blocks with what they list, by their heights. One statement. */
export async function rootEntries(sql: Sql, heights: readonly number[]): Promise<ReadonlyMap<number, RootEntries>> {
  const rows = await sql<{ height: bigint; header: Buffer; entries: Buffer }[]>`
    SELECT height, header, entries FROM root_block WHERE height = ANY(${[...heights]}::bigint[])`
  return new Map(rows.map((row) => [Number(row.height), { ...row, height: Number(row.height) }]))
}

/** The out items of a root block, one after the other as stored; null if there is no such block. One statement. */
export async function rootOutgoing(sql: Sql, height: number): Promise<Uint8Array | null> {
  const [row] = await sql<{ outgoing: Buffer }[]>`SELECT outgoing FROM root_block WHERE height = ${height}`
  return row?.outgoing ?? null
}

/**
 * What the root chain exports as of a root height: CBOR by key, sorted by it. One statement, which goes from key to key:
 * some have been set at every root block.
 */
export async function exportsAt(sql: Sql, height: number): Promise<(readonly [key: string, value: Uint8Array])[]> {
  const rows = await sql<{ key: string; value: Buffer | null }[]>`
    WITH RECURSIVE keys AS (
      (SELECT key FROM export ORDER BY key LIMIT 1)
      UNION ALL
      SELECT (SELECT e.key FROM export e WHERE e.key > keys.key ORDER BY e.key LIMIT 1) FROM keys WHERE keys.key IS NOT NULL
    )
    SELECT keys.key, found.value FROM keys CROSS JOIN LATERAL (
      SELECT value FROM export e WHERE e.key = keys.key AND e.since <= ${height} ORDER BY e.since DESC LIMIT 1
    ) AS found ORDER BY keys.key`
  return rows.flatMap(({ key, value }) => (value === null ? [] : [[key, value] as const]))
}
