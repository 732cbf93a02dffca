import type { CommittedHeader } from '../../../protocol/index.ts'
import type { SqlOrTransaction } from '../../../server/plugin.ts'
import type { StoredLedger } from '../hosting/read-ledger.ts'
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

/** What a block sent, as it is stored. */
export interface StoredSent {
  readonly header: Uint8Array
  readonly outgoing: Uint8Array
}

/** Headers and out items of listed blocks, in order; undefined where one is not in its database. */
export async function findSent(
  ledger: StoredLedger,
  entries: readonly CommittedHeader[],
): Promise<readonly (StoredSent | undefined)[]> {
  const found = new Map<string, StoredSent>()
  for (const [tx, there] of Map.groupBy(entries, ({ shard }) => ledger.of(shard))) {
    const rows = await tx<(StoredSent & { readonly shard: string; readonly height: bigint })[]>`
      SELECT wanted.shard, wanted.height, coalesce(block.header, brought.header) AS header,
        coalesce(block.outgoing, brought.outgoing) AS outgoing
      FROM unnest(${there.map(({ shard }) => shard)}::text[], ${there.map(({ height }) => height)}::int8[])
        AS wanted (shard, height)
      LEFT JOIN block USING (shard, height) LEFT JOIN imported_block AS brought USING (shard, height)
      WHERE block.header IS NOT NULL OR brought.header IS NOT NULL`
    for (const { shard, height, header, outgoing } of rows) found.set(`${shard}/${height}`, { header, outgoing })
  }
  return entries.map(({ shard, height }) => found.get(`${shard}/${height}`))
}

/** As `findSent`. @throws SnapshotError HISTORY_MISSING if one is not in its database */
export async function sentBlocks(
  ledger: StoredLedger,
  entries: readonly CommittedHeader[],
): Promise<readonly StoredSent[]> {
  const found = await findSent(ledger, entries)
  return entries.map(({ shard, height }, i) => {
    const sent = found[i]
    if (sent !== undefined) return sent
    throw new SnapshotError('HISTORY_MISSING', `block ${height} of shard ${shard} is not in its database`)
  })
}
