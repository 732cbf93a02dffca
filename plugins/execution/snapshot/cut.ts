import { decodeHeader, encodeGenesis } from '../../../protocol/index.ts'
import type { Transaction } from '../../../server/plugin.ts'
import type { StoredLedger } from '../hosting/read-ledger.ts'
import { storedExports } from '../root/stored-exports.ts'
import { shardSpace } from '../shard/shard-space.ts'
import { SnapshotError } from './errors.ts'
import { importedHeight } from './imported-state.ts'
import { storedView } from './stored-view.ts'
import type { CutShard, ShardBlock, SnapshotHead } from './visitor.ts'

/** A shard's last block, whole. */
export interface StoredCutShard extends CutShard, ShardBlock {}

/** What a root block commits, as the database has it. */
export interface Cut extends SnapshotHead {
  readonly shards: readonly StoredCutShard[]
  /** Height of the last block that it commits, by shard; of split ones, too. */
  readonly listed: ReadonlyMap<string, number>
  /** Height of the first root block that the database has. */
  readonly first: number
  /** The root height of the snapshot that the database began with; undefined if it began with genesis. */
  readonly snapshot: number | undefined
}

/**
 * Finds what the root block at a height commits: the last block of each shard.
 * @param height the last root block if absent
 * @throws SnapshotError NO_SUCH_HEIGHT or HISTORY_MISSING
 */
export async function cutAt(ledger: StoredLedger, height?: number): Promise<Cut> {
  const { network, main } = ledger
  const [known] = await main<{ first: bigint; last: bigint }[]>`
    SELECT min(height) AS first, max(height) AS last FROM root_block`
  const [first, last] = [Number(known?.first ?? 0), Number(known?.last ?? 0)]
  const at = height ?? last
  if (at > last) throw new SnapshotError('NO_SUCH_HEIGHT', `the root chain is at height ${last}, not at ${at}`)
  const snapshot = await importedHeight(main)
  const begin = snapshot ?? first
  const missing = new SnapshotError(
    'HISTORY_MISSING',
    `this database began with a snapshot of root height ${begin}: name a later one than ${at}`,
  )
  if (at < begin) throw missing
  const { shards: entries } = await storedView(main, at)
  const listed = await lastListed(ledger, [...entries.keys()], at)
  const shards = await Promise.all(
    living(listed, at).map(([shard, height]) => blockOf(ledger.of(shard), shard, height)),
  )
  const toCome = [...entries].filter(
    ([id, entry]) => entry.from <= at && ![...listed.keys()].some((shard) => shard.startsWith(id)),
  )
  const from = Math.min(
    ...shards.map(({ header }) => header.rootCursor),
    // They begin with a root block whose shard blocks are not listed yet.
    ...toCome.map(([, entry]) => entry.from),
  )
  if (from < first) throw missing
  const exports = (await storedExports(main, from)).flatMap(([key, value]) =>
    value === null ? [] : [[key, value] as const],
  )
  return {
    network,
    document: encodeGenesis(network.genesis),
    height: at,
    from,
    shards,
    exports,
    listed,
    first,
    snapshot,
  }
}

/** The last block of each of these shards that a root block up to a height lists, by id. */
async function lastListed(
  { main }: StoredLedger,
  shards: readonly string[],
  height: number,
): Promise<ReadonlyMap<string, number>> {
  const rows = await main<{ shard: string; height: bigint }[]>`
    SELECT listed.shard, listed.height FROM unnest(${[...shards]}::text[]) AS known (shard) CROSS JOIN LATERAL (
      SELECT shard, height FROM root_entry
      WHERE root_entry.shard = known.shard AND root <= ${height} ORDER BY height DESC LIMIT 1
    ) AS listed ORDER BY listed.shard COLLATE "C"`
  return new Map(rows.map((row) => [row.shard, Number(row.height)]))
}

/** Those that were not split: a shard ends when both of its halves have begun. */
function living(listed: ReadonlyMap<string, number>, rootHeight: number): [shard: string, height: number][] {
  return [...listed].filter(([id]) => {
    const [left, right] = [listed.has(`${id}0`), listed.has(`${id}1`)]
    if (left !== right)
      throw new SnapshotError('NO_SUCH_HEIGHT', `shard ${id} is half split at root height ${rootHeight}: take the next`)
    return !left
  })
}

async function blockOf(tx: Transaction, shard: string, height: number): Promise<StoredCutShard> {
  const [row] = await tx<BlockRow[]>`
    SELECT header, hash, body, receipts, outgoing, holdings, emitted, consumed FROM block
    WHERE shard = ${shard} AND height = ${height}`
  if (row === undefined)
    throw new SnapshotError(
      'HISTORY_MISSING',
      `block ${height} of shard ${shard}, the last that is listed then, is not in its database: name a later height`,
    )
  const { header, hash, body, receipts, outgoing, ...totals } = row
  const { holdings, emitted, consumed } = totals
  return {
    space: shardSpace(shard),
    header: decodeHeader(header),
    encoded: header,
    hash,
    body,
    receipts,
    outgoing,
    totals: { holdings: BigInt(holdings), emitted: BigInt(emitted), consumed: BigInt(consumed) },
  }
}

interface BlockRow {
  readonly header: Uint8Array
  readonly hash: Uint8Array
  readonly body: Uint8Array
  readonly receipts: Uint8Array
  readonly outgoing: Uint8Array
  readonly holdings: string
  readonly emitted: string
  readonly consumed: string
}
