import type { CommittedHeader } from '../../../protocol/index.ts'
import type { SqlOrTransaction } from '../../../server/plugin.ts'
import type { Totals } from '../shard/made-block.ts'
import { SnapshotError } from './errors.ts'

const PAGE = 100

/** A root block as it is stored. */
export interface StoredRootRow {
  readonly height: number
  readonly hash: Uint8Array
  readonly header: Uint8Array
  readonly votes: Uint8Array
  readonly entries: Uint8Array
  /** CBOR list of [key, value | null]: what it changed of the exports. */
  readonly exports: Uint8Array
  /** Its own out items: delivered with the next one. */
  readonly outgoing: Uint8Array
  readonly totals: Totals
}

interface Row extends Omit<StoredRootRow, 'height' | 'totals'> {
  readonly height: bigint
  readonly holdings: string
  readonly emitted: string
  readonly consumed: string
}

/** The root blocks from one height to another, in order. */
export async function* storedRoots(sql: SqlOrTransaction, from: number, to: number): AsyncIterable<StoredRootRow> {
  for (let next = from; next <= to; next += PAGE) {
    const rows = await sql<Row[]>`
      SELECT height, hash, header, votes, entries, exports, outgoing, holdings, emitted, consumed FROM root_block
      WHERE height >= ${next} AND height < ${Math.min(to + 1, next + PAGE)} ORDER BY height`
    for (const { height, holdings, emitted, consumed, ...row } of rows) {
      const totals = { holdings: BigInt(holdings), emitted: BigInt(emitted), consumed: BigInt(consumed) }
      yield { ...row, height: Number(height), totals }
    }
  }
}

/**
 * Headers and out items of listed blocks, in order.
 * @throws SnapshotError HISTORY_MISSING if one is not in this database
 */
export async function sentBlocks(
  sql: SqlOrTransaction,
  entries: readonly CommittedHeader[],
): Promise<readonly { readonly header: Uint8Array; readonly outgoing: Uint8Array }[]> {
  const rows = await sql<{ header: Uint8Array | null; outgoing: Uint8Array }[]>`
    SELECT coalesce(block.header, brought.header) AS header, coalesce(block.outgoing, brought.outgoing) AS outgoing
    FROM unnest(${entries.map(({ shard }) => shard)}::text[], ${entries.map(({ height }) => height)}::int8[])
      WITH ORDINALITY AS wanted (shard, height, place)
    LEFT JOIN block ON block.shard = wanted.shard AND block.height = wanted.height
    LEFT JOIN imported_block AS brought ON brought.shard = wanted.shard AND brought.height = wanted.height
    ORDER BY place`
  return rows.map(({ header, outgoing }, i) => {
    if (header !== null) return { header, outgoing }
    const { shard, height } = entries[i] ?? { shard: '?', height: 0 }
    throw new SnapshotError('HISTORY_MISSING', `block ${height} of shard ${shard} is not in this database`)
  })
}
