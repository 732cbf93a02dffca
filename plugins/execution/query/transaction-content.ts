import { Reader, type Receipt, readReceipt } from '../../../protocol/index.ts'
import type { Sql } from '../../../server/plugin.ts'
import { hexes, inOrder } from './keys.ts'
import type { ShardDatabases } from './shard-databases.ts'
import { askAll } from './spread.ts'

/** What a block holds of a transaction. */
export interface TransactionContent {
  /** The signed bytes. */
  readonly wire: Uint8Array
  readonly receipt: Receipt
}

/**
 * Signed bytes and receipts in the order of the ids; null for what is in no block. One statement for each database, which reads only
 * the pieces it needs out of the blocks: a transaction ends where the next one begins.
 */
export function contentsById(
  databases: ShardDatabases,
  ids: readonly Uint8Array[],
): Promise<(TransactionContent | null)[]> {
  return askAll(databases, ids.length, (sql) => contentsIn(sql, ids))
}

async function contentsIn(sql: Sql, ids: readonly Uint8Array[]): Promise<(TransactionContent | null)[]> {
  const rows = await sql<{ at: bigint; wire: Buffer; receipt: Buffer }[]>`
    SELECT wanted.at,
      substring(b.body FROM t.body_at + 1
        FOR coalesce(next.body_at, octet_length(b.body)) - t.body_at) AS wire,
      substring(b.receipts FROM t.receipt_at + 1
        FOR coalesce(next.receipt_at, octet_length(b.receipts)) - t.receipt_at) AS receipt
    FROM unnest(${hexes(ids)}::text[]) WITH ORDINALITY AS wanted (id, at)
    JOIN tx t ON t.id = decode(wanted.id, 'hex')
    CROSS JOIN LATERAL (SELECT body, receipts FROM block WHERE shard = t.shard AND height = t.height LIMIT 1) b
    LEFT JOIN LATERAL (
      SELECT body_at, receipt_at FROM tx WHERE shard = t.shard AND height = t.height AND index = t.index + 1 LIMIT 1
    ) next ON true`
  return inOrder(ids.length, rows, ({ wire, receipt }) => ({ wire, receipt: readReceipt(new Reader(receipt)) }))
}
