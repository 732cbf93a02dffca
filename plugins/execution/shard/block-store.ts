import { concat } from '../../../protocol/index.ts'
import type { Sql, Statements } from '../../../server/plugin.ts'
import type { Fence } from '../fence.ts'
import { type RootMoment, storedRootMoment } from '../root/root-moment.ts'
import { type CellDelta, readDelta } from './delta.ts'
import type { MadeBlock } from './made-block.ts'
import { lengths, list } from './packed.ts'
import { pathBounds } from './path-bounds.ts'
import type { ShardSpace } from './shard-space.ts'

/** Somebody who is not held to the fence wrote a block of this shard. */
export class ForkedError extends Error {
  override readonly name = 'ForkedError'
  readonly code = 'FORKED'
}

/** A stored block, as far as a restart needs it. */
export interface StoredTip {
  readonly header: Uint8Array
  readonly hash: Uint8Array
  readonly bodyBytes: number
  readonly holdings: bigint
  readonly emitted: bigint
  readonly consumed: bigint
}

/**
 * What a shard keeps in Postgres. A block is one statement, so one transaction and one round trip: header, body,
 * index rows, cells, messages, outcomes and events exist together or not at all.
 *
 * Both writes are held to the leader's fence: whoever was replaced writes nothing more.
 *
 * Rows travel as packed bytes that the server cuts up again with `substring`: no array of bytea to parse, and no COPY
 * with its own round trips.
 */
export class BlockStore {
  readonly #sql: Sql
  readonly #statements: Statements
  readonly #space: ShardSpace
  readonly #fence: Fence
  readonly #known: RootMoment | undefined

  /** `known`: what the root chain was as of the last block, where this database does not hold the root chain. */
  constructor(sql: Sql, statements: Statements, space: ShardSpace, fence: Fence, known?: RootMoment) {
    this.#sql = sql
    this.#statements = statements
    this.#space = space
    this.#fence = fence
    this.#known = known
  }

  /**
   * Makes a block durable.
   * @throws the connection's error, a unique violation if the height is taken, or FENCED of a newer leader
   */
  async commit(block: MadeBlock): Promise<void> {
    const { header, included, outcomes, deferredAdded } = block
    const details = lengths(outcomes.map((outcome) => outcome.detail))
    const messages = lengths(deferredAdded.map((entry) => entry.encoded))
    await this.#statements.run('commit-block', COMMIT, [
      this.#space.id,
      header.height,
      block.hash,
      block.headerBytes,
      block.body,
      block.receipts,
      block.outgoing,
      block.delta,
      header.txCount,
      new Date(header.time).toISOString(),
      String(block.totals.holdings),
      String(block.totals.emitted),
      String(block.totals.consumed),
      packIds(included.map(({ entry }) => entry.transaction)),
      list(block.bodyAt),
      list(block.receiptAt),
      list(included.map(({ refused }) => refused)),
      list(included.map(({ remote }) => remote)),
      concat(...outcomes.map((outcome) => outcome.transaction)),
      list(outcomes.map((outcome) => outcome.delta)),
      list(outcomes.map((outcome) => outcome.refused)),
      concat(...outcomes.map((outcome) => outcome.detail)),
      list(details.starts),
      list(details.lengths),
      `{${block.events.topics.map((topic) => `"${topic}"`).join(',')}}`,
      block.events.count,
      block.events.body,
      concat(...deferredAdded.map((entry) => entry.key)),
      concat(...deferredAdded.map((entry) => entry.encoded)),
      list(messages.starts),
      list(messages.lengths),
      concat(...block.deferredDone),
      this.#fence.lease,
      String(this.#fence.fence),
    ])
  }

  /** The hash of the stored block at a height; undefined if there is none. */
  async hashAt(height: number): Promise<Uint8Array | undefined> {
    const [row] = await this.#sql<{ hash: Uint8Array }[]>`
      SELECT hash FROM block WHERE shard = ${this.#space.id} AND height = ${height}`
    return row?.hash
  }

  /** The shard's last block. */
  async tip(): Promise<StoredTip | undefined> {
    const [row] = await this.#sql<
      {
        header: Uint8Array
        hash: Uint8Array
        bodyBytes: number
        holdings: string
        emitted: string
        consumed: string
      }[]
    >`
      SELECT header, hash, length(body) AS "bodyBytes", holdings, emitted, consumed FROM block
      WHERE shard = ${this.#space.id} ORDER BY height DESC LIMIT 1`
    if (row === undefined) return undefined
    const { holdings, emitted, consumed } = row
    return { ...row, holdings: BigInt(holdings), emitted: BigInt(emitted), consumed: BigInt(consumed) }
  }

  /** What a restart must know of a root block that a block names. @throws TypeError if it is not stored */
  async rootMoment(height: number): Promise<RootMoment> {
    return this.#known?.height === height ? this.#known : storedRootMoment(this.#sql, height)
  }

  /** Up to which height the cell table has everything. */
  async foldedHeight(): Promise<number> {
    const [row] = await this.#sql<{ folded: bigint }[]>`SELECT folded FROM shard WHERE id = ${this.#space.id}`
    return Number(row?.folded ?? 0)
  }

  /** All cells of the cell table, a few thousand at a time, sorted by path. */
  async *cells(): AsyncIterable<readonly { path: Uint8Array; record: Uint8Array }[]> {
    const { from, to } = pathBounds(this.#space)
    yield* this.#sql<{ path: Uint8Array; record: Uint8Array }[]>`
      SELECT path, record FROM cell
      WHERE realm = ${this.#space.realm} AND path >= ${from} AND (${to}::bytea IS NULL OR path < ${to})
      ORDER BY path`.cursor(5000)
  }

  /** What blocks after a height changed, in order. */
  async *deltasAfter(height: number): AsyncIterable<readonly CellDelta[]> {
    const rows = this.#sql<{ delta: Uint8Array }[]>`
      SELECT delta FROM block WHERE shard = ${this.#space.id} AND height > ${height} ORDER BY height`.cursor(16)
    for await (const batch of rows) for (const { delta } of batch) yield readDelta(delta)
  }

  /** Messages that wait for room, oldest first. */
  async deferred(): Promise<readonly { key: Uint8Array; message: Uint8Array }[]> {
    return this.#sql<{ key: Uint8Array; message: Uint8Array }[]>`
      SELECT key, message FROM deferred WHERE shard = ${this.#space.id} ORDER BY substring(key from 33)`
  }

  /** Records of cells by path; those that the table does not have are left out. */
  async records(paths: readonly Uint8Array[]): Promise<readonly { path: Uint8Array; record: Uint8Array }[]> {
    return this.#statements.run('read-cells', RECORDS, [this.#space.realm, concat(...paths), paths.length])
  }

  /** Writes the newest version of cells to the cell table, which is complete up to this height then. */
  async fold(height: number, cells: readonly CellDelta[]): Promise<void> {
    const kept = cells.filter((cell) => cell.record !== null)
    const gone = cells.filter((cell) => cell.record === null)
    const records = lengths(kept.map((cell) => cell.record ?? new Uint8Array(0)))
    await this.#statements.run('fold-cells', FOLD, [
      this.#space.realm,
      concat(...kept.map((cell) => cell.path)),
      concat(...kept.map((cell) => cell.record ?? new Uint8Array(0))),
      list(records.starts),
      list(records.lengths),
      concat(...gone.map((cell) => cell.path)),
      this.#space.id,
      height,
      this.#fence.lease,
      String(this.#fence.fence),
    ])
  }
}

const COMMIT = `
WITH new_block AS (
  INSERT INTO block (shard, height, hash, header, body, receipts, outgoing, delta, tx_count, time, holdings, emitted, consumed)
  SELECT $1::text, $2::bigint, $3::bytea, $4::bytea, $5::bytea, $6::bytea, $7::bytea, $8::bytea, $9::int,
    $10::text::timestamptz, $11::text::numeric, $12::text::numeric, $13::text::numeric
  FROM core.check_fence($33::text, $34::text::bigint)
), new_tx AS (
  INSERT INTO tx (id, sender, shard, height, index, body_at, receipt_at, refused, remote)
  SELECT substring($14::bytea from (64 * i - 63)::int for 32), substring($14::bytea from (64 * i - 31)::int for 32),
    $1, $2, i - 1, body_at, receipt_at, refused, remote
  FROM unnest($15::text::int[], $16::text::int[], $17::text::boolean[], $18::text::int[])
    WITH ORDINALITY AS row (body_at, receipt_at, refused, remote, i)
), new_outcome AS (
  INSERT INTO outcome (tx, shard, height, delta, refused, detail)
  SELECT substring($19::bytea from (32 * i - 31)::int for 32), $1, $2, delta, refused,
    substring($22::bytea from start for length)
  FROM unnest($20::text::int[], $21::text::boolean[], $23::text::int[], $24::text::int[])
    WITH ORDINALITY AS row (delta, refused, start, length, i)
), new_events AS (
  INSERT INTO core.event_batch (shard, height, topics, count, body)
  VALUES ($1, $2, $25::text::text[], $26, $27)
), new_deferred AS (
  INSERT INTO deferred (shard, key, message)
  SELECT $1, substring($28::bytea from (40 * i - 39)::int for 40), substring($29::bytea from start for length)
  FROM unnest($30::text::int[], $31::text::int[]) WITH ORDINALITY AS row (start, length, i)
)
DELETE FROM deferred
WHERE shard = $1 AND key IN (
  SELECT substring($32::bytea from 40 * i + 1 for 40) FROM generate_series(0, length($32::bytea) / 40 - 1) AS i
)`

const RECORDS = `
SELECT cell.path, cell.record
FROM generate_series(0, $3::int - 1) AS i
JOIN cell ON cell.realm = $1 AND cell.path = substring($2::bytea from 32 * i + 1 for 32)`

const FOLD = `
WITH kept AS (
  INSERT INTO cell (realm, path, record)
  SELECT $1, substring($2::bytea from (32 * i - 31)::int for 32), substring($3::bytea from start for length)
  FROM unnest($4::text::int[], $5::text::int[]) WITH ORDINALITY AS row (start, length, i)
  ON CONFLICT (realm, path) DO UPDATE SET record = excluded.record
), gone AS (
  DELETE FROM cell WHERE realm = $1 AND path IN (
    SELECT substring($6::bytea from 32 * i + 1 for 32) FROM generate_series(0, length($6::bytea) / 32 - 1) AS i
  )
)
UPDATE shard SET folded = $8 FROM core.check_fence($9::text, $10::text::bigint) WHERE id = $7`

function packIds(transactions: readonly { readonly id: Uint8Array; readonly sender: Uint8Array }[]): Uint8Array {
  const packed = new Uint8Array(64 * transactions.length)
  transactions.forEach(({ id, sender }, i) => {
    packed.set(id, 64 * i)
    packed.set(sender, 64 * i + 32)
  })
  return packed
}
