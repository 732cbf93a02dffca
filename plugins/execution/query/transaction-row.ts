import type { Sql } from '../../../server/plugin.ts'
import { hexes, inOrder } from './keys.ts'
import { addOutcomesElsewhere } from './outcome-sums.ts'
import type { ShardDatabases } from './shard-databases.ts'
import { askAll } from './spread.ts'

/** What the index knows of an included transaction. */
export interface TransactionRow {
  /** 32 bytes. */
  readonly id: Uint8Array
  /** 32 bytes. */
  readonly sender: Uint8Array
  readonly shard: string
  readonly height: number
  /** Its place in the block. */
  readonly index: number
  readonly blockHash: Uint8Array
  readonly blockTime: Date
  readonly status: 'INCLUDED' | 'EXECUTED' | 'FAILED'
}

/** A row as `transactionColumns` selects it. */
export interface TransactionRecord {
  readonly id: Buffer
  readonly sender: Buffer
  readonly shard: string
  readonly height: bigint
  readonly index: number
  readonly hash: Buffer
  readonly time: Date
  readonly remote: number
  open: number
  refused: boolean
}

/** The columns of TransactionRecord, of a `t` joined with `transactionJoins`. */
export const transactionColumns = (sql: Sql) => sql`
  t.id, t.sender, t.shard, t.height, t.index, b.hash, b.time, t.remote,
  t.remote + coalesce(o.delta, 0) AS open, t.refused OR coalesce(o.refused, false) AS refused`

/**
 * Joins a row `t` of tx with its block and with what became of its messages. The limits keep the planner from
 * turning the look-ups of a page into a scan of all blocks.
 */
export const transactionJoins = (sql: Sql) => sql`
  CROSS JOIN LATERAL (SELECT hash, time FROM block WHERE shard = t.shard AND height = t.height LIMIT 1) b
  LEFT JOIN LATERAL (
    SELECT sum(delta)::integer AS delta, bool_or(refused) AS refused FROM outcome WHERE tx = t.id OFFSET 0
  ) o ON t.remote > 0`

export const transactionRow = (record: TransactionRecord): TransactionRow => ({
  id: record.id,
  sender: record.sender,
  shard: record.shard,
  height: Number(record.height),
  index: record.index,
  blockHash: record.hash,
  blockTime: record.time,
  status: record.open > 0 ? 'INCLUDED' : record.refused ? 'FAILED' : 'EXECUTED',
})

/** Index rows in the order of the ids; null for what is in no block. One statement for each database. */
export async function transactionsById(
  databases: ShardDatabases,
  ids: readonly Uint8Array[],
): Promise<(TransactionRow | null)[]> {
  return askAll(databases, ids.length, async (sql) => {
    const rows = await sql<(TransactionRecord & { at: bigint })[]>`
      SELECT wanted.at, ${transactionColumns(sql)}
      FROM unnest(${hexes(ids)}::text[]) WITH ORDINALITY AS wanted (id, at)
      JOIN tx t ON t.id = decode(wanted.id, 'hex') ${transactionJoins(sql)}`
    await addOutcomesElsewhere(databases, sql, rows)
    return inOrder(ids.length, rows, transactionRow)
  })
}
