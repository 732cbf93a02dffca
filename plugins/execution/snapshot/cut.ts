import { decodeHeader, encodeGenesis } from '../../../protocol/index.ts'
import type { Transaction } from '../../../server/plugin.ts'
import { storedNetwork } from '../genesis-store.ts'
import { RootView } from '../root/root-view.ts'
import { storedExports } from '../root/stored-exports.ts'
import { shardSpace } from '../shard/shard-space.ts'
import { SnapshotError } from './errors.ts'
import type { CutShard, ShardBlock, SnapshotHead } from './visitor.ts'

/** A shard's last block, whole. */
export interface StoredCutShard extends CutShard, ShardBlock {}

/** What a root block commits, as the database has it. */
export interface Cut extends SnapshotHead {
  readonly shards: readonly StoredCutShard[]
}

/**
 * Finds what the root block at a height commits: the last block of each shard.
 * @param height the last root block if absent
 * @throws SnapshotError NO_SUCH_HEIGHT or HISTORY_MISSING
 */
export async function cutAt(tx: Transaction, height?: number): Promise<Cut> {
  const network = await storedNetwork(tx)
  if (network === undefined) throw new SnapshotError('NO_SUCH_HEIGHT', 'this database has no network yet')
  const [known] = await tx<{ first: bigint; last: bigint }[]>`
    SELECT min(height) AS first, max(height) AS last FROM root_block`
  const at = height ?? Number(known?.last)
  if (known === undefined || at > Number(known.last))
    throw new SnapshotError('NO_SUCH_HEIGHT', `the root chain is at height ${known?.last ?? 0}, not at ${at}`)
  const last = await lastBlocks(tx, at)
  const shards = live(last, at).map(readRow)
  const { shards: entries } = RootView.EMPTY.with(await storedExports(tx, at))
  const toCome = [...entries].filter(
    ([id, entry]) => entry.from <= at && !last.some(({ shard }) => shard.startsWith(id)),
  )
  const from = Math.min(
    ...shards.map(({ header }) => header.rootCursor),
    // They begin with a root block whose shard blocks are not listed yet.
    ...toCome.map(([, entry]) => entry.from),
  )
  if (at < Number(known.first) || from < Number(known.first))
    throw new SnapshotError(
      'HISTORY_MISSING',
      `this database was made from a snapshot and begins at root height ${known.first}: name a later one than ${at}`,
    )
  const exports = (await storedExports(tx, from)).flatMap(([key, value]) =>
    value === null ? [] : [[key, value] as const],
  )
  return { network, document: encodeGenesis(network.genesis), height: at, from, shards, exports }
}

async function lastBlocks(tx: Transaction, height: number): Promise<readonly BlockRow[]> {
  return tx<BlockRow[]>`
    SELECT listed.shard, header, hash, body, receipts, outgoing, holdings, emitted, consumed
    FROM shard CROSS JOIN LATERAL (
      SELECT shard, height FROM root_entry
      WHERE root_entry.shard = shard.id AND root <= ${height} ORDER BY height DESC LIMIT 1
    ) AS listed LEFT JOIN block ON block.shard = listed.shard AND block.height = listed.height
    ORDER BY listed.shard`
}

function readRow({ shard, header, hash, body, receipts, outgoing, ...totals }: BlockRow): StoredCutShard {
  if (header === null)
    throw new SnapshotError(
      'HISTORY_MISSING',
      `the blocks of shard ${shard} are not in this database: name a later height`,
    )
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

/** Those that were not split: a shard ends when both of its halves have begun. */
function live(shards: readonly BlockRow[], height: number): BlockRow[] {
  const began = new Set(shards.map(({ shard }) => shard))
  return shards.filter(({ shard: id }) => {
    const [left, right] = [began.has(`${id}0`), began.has(`${id}1`)]
    if (left !== right)
      throw new SnapshotError('NO_SUCH_HEIGHT', `shard ${id} is half split at root height ${height}: take the next`)
    return !left
  })
}

interface BlockRow {
  readonly shard: string
  readonly header: Uint8Array | null
  readonly hash: Uint8Array
  readonly body: Uint8Array
  readonly receipts: Uint8Array
  readonly outgoing: Uint8Array
  readonly holdings: string
  readonly emitted: string
  readonly consumed: string
}
