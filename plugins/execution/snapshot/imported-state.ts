import {
  CodecError,
  compare,
  decodeHeader,
  decodeMessage,
  parseShardId,
  ROOT_REALM,
  ROOT_SHARD,
} from '../../../protocol/index.ts'
import type { Transaction } from '../../../server/plugin.ts'
import type { DeferredMessage } from '../shard/inbox.ts'
import { openRecord } from '../state/ledger-cell.ts'
import { SnapshotError } from './errors.ts'
import { fetched } from './fetched.ts'
import { decodeSection } from './sections.ts'
import type { SnapshotCell } from './visitor.ts'

/** Sections read at a time: each has some thousand cells. */
const SECTIONS = 4

/** The root height of the snapshot that a database began with; undefined if it began with genesis. One statement. */
export async function importedHeight(tx: Transaction): Promise<number | undefined> {
  const [row] = await tx<{ height: bigint }[]>`SELECT height FROM imported`
  return row === undefined ? undefined : Number(row.height)
}

/**
 * The cells that the snapshot brought, sorted by path within each shard, some at a time.
 * @param shard whose (`root`: the root chain's own); those of all if absent
 */
export async function* importedCells(
  tx: Transaction,
  shard?: string,
): AsyncIterable<{ readonly realm: bigint; readonly cells: readonly SnapshotCell[] }> {
  const stored = tx`
    SELECT shard, section FROM imported_state
    WHERE name <> 'deferred' ${shard === undefined ? tx`` : tx`AND shard = ${shard}`} ORDER BY shard, number`
  for await (const rows of fetched<{ shard: string; section: Uint8Array }>(tx, 'imported', stored, SECTIONS)) {
    for (const row of rows) {
      const section = decodeSection(row.section)
      if (section.name !== 'cells' && section.name !== 'root-cells') continue
      const realm = row.shard === ROOT_SHARD ? ROOT_REALM : parseShardId(row.shard).realm
      const cells = section.items[0].map((record) => ({ path: read(row.shard, () => openRecord(record)).path, record }))
      yield { realm: BigInt(realm), cells }
    }
  }
}

/** What the snapshot brought of a shard besides cells. */
export interface ImportedShard {
  /** Root height up to which its block had taken messages in. */
  readonly cursor: number
  /** What waited after that block, oldest first. */
  readonly waiting: readonly DeferredMessage[]
}

/** What the snapshot brought of a shard, or of the one that it was later split off from; undefined if neither was in it. */
export async function importedShard(tx: Transaction, id: string): Promise<ImportedShard | undefined> {
  const height = await importedHeight(tx)
  if (height === undefined) return undefined
  const depth = id.length - id.indexOf(':') - 1
  const line = Array.from({ length: depth + 1 }, (_, i) => id.slice(0, id.length - i))
  // Of what the root chain lists up to there, only the last block of each shard was brought.
  const [row] = await tx<{ shard: string; header: Uint8Array }[]>`
    SELECT shard, header FROM block JOIN root_entry AS listed USING (shard, height)
    WHERE shard = ANY(${line}) AND listed.root <= ${height} ORDER BY height DESC LIMIT 1`
  if (row === undefined) return undefined
  const sections = await tx<{ section: Uint8Array }[]>`
    SELECT section FROM imported_state WHERE shard = ${row.shard} AND name = 'deferred' ORDER BY number`
  const waiting: DeferredMessage[] = []
  for (const { section } of sections) {
    const { name, items } = decodeSection(section)
    if (name !== 'deferred') continue
    for (const [key, encoded] of items[0])
      waiting.push({ key, encoded, message: read(row.shard, () => decodeMessage(encoded)) })
  }
  // A snapshot has them by key: where they go, then when they came.
  waiting.sort((a, b) => compare(a.key.subarray(32), b.key.subarray(32)))
  return { cursor: decodeHeader(row.header).rootCursor, waiting }
}

/** What was imported could be read; what is stored since may be anything. */
function read<T>(shard: string, decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    const why = `what the snapshot brought of ${shard} cannot be read any more: ${error.message}`
    throw new SnapshotError('DAMAGED', why, { cause: error })
  }
}
