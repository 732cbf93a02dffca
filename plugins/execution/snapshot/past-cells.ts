import { cellPath, concat, encodeCell, ROOT_REALM } from '../../../protocol/index.ts'
import type { Transaction } from '../../../server/plugin.ts'
import { type CellDelta, readDelta } from '../shard/delta.ts'
import { lengths, list } from '../shard/packed.ts'
import { pathBounds } from '../shard/path-bounds.ts'
import { SnapshotError } from './errors.ts'
import { fetched } from './fetched.ts'
import type { SnapshotCell, SnapshotHead } from './visitor.ts'

/** Blocks, and cells, that are read at a time. */
const BLOCKS = 16
const CELLS = 2000

/**
 * The cells of all shards as of a root height, however far blocks and the cell table are by now. Where the table differs
 * from what was then, a temporary table says what stood there: memory does not grow with the number of cells.
 */
export class PastCells {
  readonly #tx: Transaction

  private constructor(tx: Transaction) {
    this.#tx = tx
  }

  /** Finds what differs. @throws SnapshotError HISTORY_MISSING if blocks that would say it are not in the database */
  static async at(tx: Transaction, head: SnapshotHead): Promise<PastCells> {
    await tx`
      CREATE TEMPORARY TABLE past_cell (realm bigint, path bytea, record bytea, found boolean, PRIMARY KEY (realm, path))
      ON COMMIT DROP`
    const past = new PastCells(tx)
    await past.#forward(head.height)
    await past.#back(head)
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
  async #forward(height: number): Promise<void> {
    const tx = this.#tx
    const blocks = tx`
      SELECT shard.realm, block.delta FROM shard
      JOIN root_entry AS listed ON listed.shard = shard.id AND listed.root <= ${height} AND listed.height > shard.folded
      JOIN block ON block.shard = listed.shard AND block.height = listed.height
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
  async #back(head: SnapshotHead): Promise<void> {
    const tx = this.#tx
    // Root blocks write their cells at once: those of all of them are in the table.
    const later = tx`
      SELECT shard.realm, block.delta FROM shard JOIN block ON block.shard = shard.id AND block.height <= shard.folded
      LEFT JOIN root_entry AS listed ON listed.shard = block.shard AND listed.height = block.height
      WHERE listed.root IS NULL OR listed.root > ${head.height}
      UNION ALL SELECT ${ROOT_REALM}::bigint, delta FROM root_block WHERE height > ${head.height}`
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
        SELECT shard.realm, block.height, block.delta FROM shard
        JOIN root_entry AS listed ON listed.shard = shard.id AND listed.root <= ${head.height}
        JOIN block ON block.shard = listed.shard AND block.height = listed.height
        UNION ALL SELECT ${ROOT_REALM}::bigint, height, delta FROM root_block WHERE height <= ${head.height}
      ) AS earlier ORDER BY height DESC`
    for await (const rows of fetched<Delta>(tx, 'earlier_blocks', earlier, BLOCKS)) {
      for (const { realm, delta } of rows) await this.#find(realm, readDelta(delta))
      if (await this.#isComplete()) return
    }
    await this.#fromGenesis(head)
  }

  /** What no block had changed is as genesis had it. */
  async #fromGenesis({ network }: SnapshotHead): Promise<void> {
    const tx = this.#tx
    const [first] = await tx<{ height: bigint }[]>`SELECT min(height) AS height FROM root_block`
    if (first === undefined || first.height > 0n)
      throw new SnapshotError(
        'HISTORY_MISSING',
        'this database was made from a snapshot, and has not what stood in some cells then: name a later height',
      )
    const cells = network.genesis.cells.map((cell) => ({
      realm: BigInt(cell.realm),
      path: cellPath(cell.id),
      record: encodeCell(cell),
    }))
    for (const { realm, path, record } of cells) await this.#find(realm, [{ path, record }])
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
