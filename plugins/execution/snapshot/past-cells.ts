import { cellPath, concat, encodeCell, ROOT_REALM } from '../../../protocol/index.ts'
import type { Transaction } from '../../../server/plugin.ts'
import { type CellDelta, readDelta } from '../shard/delta.ts'
import { lengths, list } from '../shard/packed.ts'
import { pathBounds } from '../shard/path-bounds.ts'
import type { Cut } from './cut.ts'
import { SnapshotError } from './errors.ts'
import { fetched } from './fetched.ts'
import { importedCells } from './imported-state.ts'
import type { SnapshotCell } from './visitor.ts'

/** Blocks, and cells, that are read at a time. */
const BLOCKS = 16
const CELLS = 2000

/**
 * The cells of the shards in one database as of a root height, however far blocks and the cell table are by now. Where
 * the table differs from what was then, a temporary table says what stood there: memory does not grow with the number of
 * cells.
 */
export class PastCells {
  readonly #tx: Transaction
  readonly #cut: Cut
  /** The root chain's own cells are here. */
  readonly #isMain: boolean

  private constructor(tx: Transaction, cut: Cut, isMain: boolean) {
    this.#tx = tx
    this.#cut = cut
    this.#isMain = isMain
  }

  /** Finds what differs. @throws SnapshotError HISTORY_MISSING if blocks that would say it are not in the database */
  static async at(tx: Transaction, cut: Cut, isMain: boolean): Promise<PastCells> {
    // Those of an earlier reading.
    await tx`DROP TABLE IF EXISTS pg_temp.past_cell, pg_temp.past_block`
    await tx`
      CREATE TEMPORARY TABLE past_cell (realm bigint, path bytea, record bytea, found boolean, PRIMARY KEY (realm, path))
      ON COMMIT DROP`
    await tx`CREATE TEMPORARY TABLE past_block (shard text COLLATE "C" PRIMARY KEY, height bigint) ON COMMIT DROP`
    await tx`
      INSERT INTO past_block SELECT * FROM unnest(${[...cut.listed.keys()]}::text[], ${[...cut.listed.values()]}::int8[])`
    const past = new PastCells(tx, cut, isMain)
    await past.#forward()
    await past.#back()
    return past
  }

  /** A shard's cells, sorted by path, some at a time. */
  async *of({ realm, prefix }: { readonly realm: number; readonly prefix: string }): AsyncIterable<SnapshotCell[]> {
    const { from, to } = pathBounds({ prefix })
    const tx = this.#tx
    const within = tx`realm = ${realm} AND path >= ${from} AND (${to}::bytea IS NULL OR path < ${to})`
    yield* tx<SnapshotCell[]>`
      SELECT path, record FROM (
        SELECT path, CASE WHEN past.path IS NULL THEN cell.record ELSE past.record END AS record
        FROM (SELECT path, record FROM cell WHERE ${within}) AS cell
        FULL JOIN (SELECT path, record FROM past_cell WHERE ${within}) AS past USING (path)
      ) AS state WHERE record IS NOT NULL ORDER BY path`.cursor(CELLS)
  }

  /** What blocks did by then that the cell table does not have yet. */
  async #forward(): Promise<void> {
    const tx = this.#tx
    const blocks = tx`
      SELECT shard.realm, block.delta FROM shard JOIN past_block AS last ON last.shard = shard.id
      JOIN block ON block.shard = shard.id AND block.height > shard.folded AND block.height <= last.height
      ORDER BY block.height`
    for await (const rows of fetched<Delta>(tx, 'blocks', blocks, BLOCKS)) {
      for (const { realm, delta } of rows) {
        const cells = readDelta(delta)
        const records = cells.map(({ record }) => record ?? NONE)
        const { starts, lengths: sizes } = lengths(records)
        await tx`
          INSERT INTO past_cell SELECT ${realm}, substring(${paths(cells)}::bytea from (32 * i - 31)::int for 32),
            nullif(substring(${concat(...records)}::bytea from start for length), ''), true
          FROM unnest(${list(starts)}::text::int[], ${list(sizes)}::text::int[]) WITH ORDINALITY AS row (start, length, i)
          ON CONFLICT (realm, path) DO UPDATE SET record = excluded.record`
      }
    }
  }

  /** What stood where the cell table has changes of later blocks. */
  async #back(): Promise<void> {
    const tx = this.#tx
    const { height } = this.#cut
    // Root blocks write their cells at once: those of all of them are in the table.
    const later = tx`
      SELECT shard.realm, block.delta FROM shard LEFT JOIN past_block AS last ON last.shard = shard.id
      JOIN block ON block.shard = shard.id AND block.height > coalesce(last.height, -1) AND block.height <= shard.folded
      UNION ALL SELECT ${ROOT_REALM}::bigint, delta FROM root_block WHERE height > ${height}`
    for await (const rows of fetched<Delta>(tx, 'later_blocks', later, BLOCKS)) {
      for (const { realm, delta } of rows) {
        const cells = readDelta(delta)
        await tx`
          INSERT INTO past_cell SELECT ${realm}, substring(${paths(cells)}::bytea from 32 * i + 1 for 32), NULL, false
          FROM generate_series(0, ${cells.length - 1}::int) AS i ON CONFLICT DO NOTHING`
      }
    }
    if (await this.#isComplete()) return
    const earlier = tx`
      SELECT realm, delta FROM (
        SELECT shard.realm, block.height, block.delta FROM shard JOIN past_block AS last ON last.shard = shard.id
        JOIN block ON block.shard = shard.id AND block.height <= last.height
        UNION ALL SELECT ${ROOT_REALM}::bigint, height, delta FROM root_block WHERE height <= ${height}
      ) AS earlier ORDER BY height DESC`
    for await (const rows of fetched<Delta>(tx, 'earlier_blocks', earlier, BLOCKS)) {
      for (const { realm, delta } of rows) await this.#find(realm, readDelta(delta))
      if (await this.#isComplete()) return
    }
    await this.#fromFirst()
  }

  /** What no block had changed is as genesis had it, or the snapshot that the database began with. */
  async #fromFirst(): Promise<void> {
    const { network, snapshot, first } = this.#cut
    if (snapshot === undefined && first > 0)
      throw new SnapshotError('HISTORY_MISSING', 'this database has not what stood in some cells then')
    if (snapshot === undefined) {
      for (const cell of network.genesis.cells) {
        const record = encodeCell(cell)
        await this.#find(BigInt(cell.realm), [{ path: cellPath(cell.id), record }])
      }
      return
    }
    // Shards on shard hosts began with nothing since.
    if (!this.#isMain) return
    for await (const { realm, cells } of importedCells(this.#tx)) await this.#find(realm, cells)
  }

  /** The first version that is found going back is the one. */
  async #find(realm: bigint, cells: readonly CellDelta[]): Promise<void> {
    const records = cells.map(({ record }) => record ?? NONE)
    const { starts, lengths: sizes } = lengths(records)
    await this.#tx`
      UPDATE past_cell SET found = true, record = nullif(substring(${concat(...records)}::bytea from start for length), '')
      FROM unnest(${list(starts)}::text::int[], ${list(sizes)}::text::int[]) WITH ORDINALITY AS row (start, length, i)
      WHERE NOT found AND realm = ${realm}
        AND path = substring(${paths(cells)}::bytea from (32 * i - 31)::int for 32)`
  }

  async #isComplete(): Promise<boolean> {
    const [row] = await this.#tx<{ missing: boolean }[]>`
      SELECT EXISTS (SELECT FROM past_cell WHERE NOT found) AS missing`
    return row?.missing === false
  }
}

interface Delta {
  readonly realm: bigint
  readonly delta: Uint8Array
}

const NONE = new Uint8Array(0)
const paths = (cells: readonly CellDelta[]): Uint8Array => concat(...cells.map(({ path }) => path))
