import type { Sql } from '../../../server/plugin.ts'
import type { BlockPlace } from '../api.ts'
import { placeLists } from './blocks.ts'
import { addOutcomesElsewhere } from './outcome-sums.ts'
import type { ShardDatabases } from './shard-databases.ts'
import { askByShard, askOne, compareKeys, mergeAll } from './spread.ts'
import {
  type TransactionRecord,
  type TransactionRow,
  transactionColumns,
  transactionJoins,
  transactionRow,
} from './transaction-row.ts'

/** Where a transaction is among a sender's or a shard's: its shard, height and index. */
export type PlaceKey = readonly [shard: string, height: number, index: number]

/** Where a transaction is among all: its block's time in milliseconds before the rest. */
export type TimedPlaceKey = readonly [time: number, shard: string, height: number, index: number]

export const placeOf = ({ shard, height, index }: TransactionRow): PlaceKey => [shard, height, index]
export const timedPlaceOf = (row: TransactionRow): TimedPlaceKey => [row.blockTime.getTime(), ...placeOf(row)]

/** Whose transactions a page shows: a sender's, a shard's, or a sender's in one shard. */
export interface TransactionFilter {
  readonly sender?: Uint8Array | undefined
  readonly shard?: string | undefined
}

/**
 * The newest transactions below `after`, of a sender or a shard: an index scan of `limit` rows. One statement for each
 * database that may have some.
 *
 * Shards come in descending order. After a split the children's names follow their parent's, so that a sender's newest
 * transactions still come first.
 */
export async function transactionsOf(
  databases: ShardDatabases,
  filter: TransactionFilter,
  limit: number,
  after: PlaceKey | undefined,
): Promise<readonly TransactionRow[]> {
  const read = (sql: Sql): Promise<TransactionRow[]> => transactionsIn(databases, sql, filter, limit, after)
  if (filter.shard !== undefined) return askOne(databases, await databases.of(filter.shard), read)
  return mergeAll(databases, limit, (a, b) => compareKeys(placeOf(b), placeOf(a)), read)
}

async function transactionsIn(
  databases: ShardDatabases,
  sql: Sql,
  { sender, shard }: TransactionFilter,
  limit: number,
  after: PlaceKey | undefined,
): Promise<TransactionRow[]> {
  const rows = await sql<TransactionRecord[]>`
    SELECT ${transactionColumns(sql)}
    FROM (
      SELECT * FROM tx
      WHERE true
        ${sender === undefined ? sql`` : sql`AND sender = ${sender}`}
        ${shard === undefined ? sql`` : sql`AND shard = ${shard}`}
        ${after === undefined ? sql`` : sql`AND (shard, height, index) < (${after[0]}, ${after[1]}::bigint, ${after[2]}::integer)`}
      ORDER BY shard DESC, height DESC, index DESC LIMIT ${limit}
    ) t ${transactionJoins(sql)}
    ORDER BY t.shard DESC, t.height DESC, t.index DESC`
  await addOutcomesElsewhere(databases, sql, rows)
  return rows.map(transactionRow)
}

/** The newest transactions of all shards below `after`, by the time of their blocks. One statement for each database. */
export function newestTransactions(
  databases: ShardDatabases,
  limit: number,
  after: TimedPlaceKey | undefined,
): Promise<readonly TransactionRow[]> {
  const compare = (a: TransactionRow, b: TransactionRow): number => compareKeys(timedPlaceOf(b), timedPlaceOf(a))
  return mergeAll(databases, limit, compare, (sql) => newestIn(databases, sql, limit, after))
}

async function newestIn(
  databases: ShardDatabases,
  sql: Sql,
  limit: number,
  after: TimedPlaceKey | undefined,
): Promise<TransactionRow[]> {
  const [time, shard, height, index] = after ?? []
  const from =
    time === undefined || shard === undefined || height === undefined
      ? sql``
      : sql`AND (time, shard, height) <= (${new Date(time)}::timestamptz, ${shard}, ${height}::bigint)`
  // In the block of the cursor only what stands before it; every other block is taken from its end.
  const below =
    shard === undefined || height === undefined || index === undefined
      ? sql``
      : sql`AND (shard <> ${shard} OR height <> ${height}::bigint OR index < ${index}::integer)`
  const rows = await sql<TransactionRecord[]>`
    SELECT ${transactionColumns(sql)}
    FROM (
      SELECT tx.* FROM (
        SELECT shard, height, time FROM block WHERE tx_count > 0 ${from}
        ORDER BY time DESC, shard DESC, height DESC LIMIT ${limit + 1}
      ) recent
      CROSS JOIN LATERAL (
        SELECT * FROM tx WHERE shard = recent.shard AND height = recent.height ${below}
        ORDER BY index DESC LIMIT ${limit}
      ) tx
      ORDER BY recent.time DESC, recent.shard DESC, recent.height DESC, tx.index DESC LIMIT ${limit}
    ) t ${transactionJoins(sql)}
    ORDER BY b.time DESC, t.shard DESC, t.height DESC, t.index DESC`
  await addOutcomesElsewhere(databases, sql, rows)
  return rows.map(transactionRow)
}

/** A piece of a block's transactions: those from index `from` on, at most `limit`. */
export interface BlockSlice extends BlockPlace {
  readonly from: number
  readonly limit: number
}

/** Transactions of blocks in their order, one list for each slice. One statement for each database. */
export function transactionsOfBlocks(
  databases: ShardDatabases,
  slices: readonly BlockSlice[],
): Promise<readonly (readonly TransactionRow[])[]> {
  return askByShard(databases, slices, (sql, some) => slicesIn(databases, sql, some))
}

async function slicesIn(
  databases: ShardDatabases,
  sql: Sql,
  slices: readonly BlockSlice[],
): Promise<TransactionRow[][]> {
  const { shards, heights } = placeLists(slices)
  const from = slices.map((slice) => slice.from)
  const to = slices.map((slice) => slice.from + slice.limit)
  const rows = await sql<(TransactionRecord & { at: bigint })[]>`
    SELECT wanted.at, ${transactionColumns(sql)}
    FROM unnest(${shards}::text[], ${heights}::bigint[], ${from}::bigint[], ${to}::bigint[])
      WITH ORDINALITY AS wanted (shard, height, low, high, at)
    JOIN tx t ON t.shard = wanted.shard AND t.height = wanted.height AND t.index >= wanted.low AND t.index < wanted.high
    ${transactionJoins(sql)}
    ORDER BY wanted.at, t.index`
  await addOutcomesElsewhere(databases, sql, rows)
  const found: TransactionRow[][] = slices.map(() => [])
  for (const row of rows) found[Number(row.at) - 1]?.push(transactionRow(row))
  return found
}
