import {
  type CommittedHeader,
  concat,
  decodeRootHeader,
  encodeCommittedHeader,
  encodeRootHeader,
  encodeVotes,
  Reader,
  ROOT_REALM,
  ROOT_SHARD,
  type RootHeader,
  type Vote,
  Writer,
} from '../../../protocol/index.ts'
import type { Sql } from '../../../server/plugin.ts'
import type { BlockPlace } from '../api.ts'
import type { Fence } from '../fence.ts'
import { outgoingByPlace } from '../query/blocks.ts'
import { oneDatabase, type ShardDatabases } from '../query/shard-databases.ts'
import { askOne } from '../query/spread.ts'
import { readDelta } from '../shard/delta.ts'
import type { Totals } from '../shard/made-block.ts'
import { lengths, list } from '../shard/packed.ts'
import { decodeExportChanges, encodeExportChanges } from './exports.ts'
import type { MadeRoot } from './made-root.ts'
import type { RootBlock } from './orderer.ts'
import { RootView } from './root-view.ts'
import { storedExports } from './stored-exports.ts'

/** A stored block of a shard, as the root chain needs it after a restart. */
export interface StoredBlock {
  readonly height: number
  readonly hash: Uint8Array
  readonly header: Uint8Array
  readonly outgoing: Uint8Array
  /** True if a root block lists it. */
  readonly listed: boolean
  readonly totals: Totals
}

/** Root blocks in Postgres. */
export class RootStore {
  readonly #sql: Sql
  readonly #fence: Fence
  readonly #databases: ShardDatabases

  /** `databases`: where the blocks of shards are; all in this one if absent. */
  constructor(sql: Sql, fence: Fence, databases: ShardDatabases = oneDatabase(sql)) {
    this.#sql = sql
    this.#fence = fence
    this.#databases = databases
  }

  /**
   * Makes a root block durable with the state that it leaves, in one statement.
   * @param released what the root block before sent: this one delivers it
   * @throws the connection's error, or FENCED of a newer leader
   */
  async commit(
    block: RootBlock,
    made: Pick<MadeRoot, 'delta' | 'exports' | 'outcomes' | 'events'>,
    released: Uint8Array,
    votes: readonly Vote[],
  ): Promise<void> {
    const { header, entries, totals } = block
    const cells = readDelta(made.delta)
    const kept = cells.flatMap(({ path, record }) => (record === null ? [] : [{ path, record }]))
    const gone = cells.filter(({ record }) => record === null)
    const records = lengths(kept.map(({ record }) => record))
    const values = lengths(made.exports.map(([, value]) => value ?? new Uint8Array(0)))
    const details = lengths(made.outcomes.map(({ detail }) => detail))
    await this.#sql.unsafe(
      COMMIT,
      [
        header.height,
        block.hash,
        encodeRootHeader(header),
        encodeVotes(votes),
        encodeEntries(entries),
        new Date(header.time).toISOString(),
        `{${entries.map((entry) => `"${entry.shard}"`).join(',')}}`,
        list(entries.map((entry) => entry.height)),
        this.#fence.lease,
        String(this.#fence.fence),
        block.outgoing,
        made.delta,
        encodeExportChanges(block.exports),
        String(totals.holdings),
        String(totals.emitted),
        String(totals.consumed),
        entries.length > 0 || block.exports.length > 0 || released.length > 0,
        JSON.stringify(block.exports.map(([key]) => key)),
        concat(...block.exports.map(([, value]) => value ?? new Uint8Array(0))),
        list(values.starts),
        // A value that is gone has no length.
        list(block.exports.map(([, value]) => value?.length ?? -1)),
        concat(...kept.map(({ path }) => path)),
        concat(...kept.map(({ record }) => record)),
        list(records.starts),
        list(records.lengths),
        concat(...gone.map(({ path }) => path)),
        concat(...made.outcomes.map(({ transaction }) => transaction)),
        list(made.outcomes.map(({ delta }) => delta)),
        list(made.outcomes.map(({ refused }) => refused)),
        concat(...made.outcomes.map(({ detail }) => detail)),
        list(details.starts),
        list(details.lengths),
        `{${made.events.topics.map((topic) => `"${topic}"`).join(',')}}`,
        made.events.count,
        made.events.body,
      ] as never,
      { prepare: true },
    )
  }

  /** The last root block; undefined before genesis. */
  async tip(): Promise<RootBlock | undefined> {
    const [row] = await this.#sql<RootRow[]>`
      SELECT hash, header, entries, exports, outgoing, holdings, emitted, consumed
      FROM root_block ORDER BY height DESC LIMIT 1`
    return row === undefined ? undefined : readRow(row)
  }

  /** The root chain's own cells, sorted by path. */
  async cells(): Promise<readonly { readonly path: Uint8Array; readonly record: Uint8Array }[]> {
    const rows = await this.#sql<{ path: Uint8Array; record: Uint8Array }[]>`
      SELECT path, record FROM cell WHERE realm = ${ROOT_REALM} ORDER BY path`
    return rows.map(({ path, record }) => ({ path: new Uint8Array(path), record: new Uint8Array(record) }))
  }

  /** What the root chain exports as of a height. */
  async viewAt(height: number): Promise<RootView> {
    return RootView.EMPTY.with(await storedExports(this.#sql, height))
  }

  /** The hash of the root block at a height. */
  async hashAt(height: number): Promise<Uint8Array | undefined> {
    const [row] = await this.#sql<{ hash: Uint8Array }[]>`SELECT hash FROM root_block WHERE height = ${height}`
    return row?.hash
  }

  /** A shard's stored blocks from the last one that a root block lists, in order. */
  async blocksFromLastListed(shard: string): Promise<readonly StoredBlock[]> {
    const [last] = await this.#sql<{ height: bigint | null }[]>`
      SELECT max(height) AS height FROM root_entry WHERE shard = ${shard}`
    const listed = Number(last?.height ?? -1)
    const rows = await askOne(
      this.#databases,
      await this.#databases.of(shard),
      async (sql) => sql<
        {
          height: bigint
          hash: Uint8Array
          header: Uint8Array
          outgoing: Uint8Array
          holdings: string
          emitted: string
          consumed: string
        }[]
      >`
        SELECT height, hash, header, outgoing, holdings, emitted, consumed FROM block
        WHERE shard = ${shard} AND height >= ${listed} ORDER BY height`,
    )
    return rows.map(({ height, hash, header, outgoing, holdings, emitted, consumed }) => ({
      height: Number(height),
      hash,
      header,
      outgoing,
      listed: Number(height) === listed,
      totals: { holdings: BigInt(holdings), emitted: BigInt(emitted), consumed: BigInt(consumed) },
    }))
  }

  /** Those of these shards of which a root block lists any block. */
  async everListed(shards: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.#sql<{ shard: string }[]>`
      SELECT shard FROM unnest(${shards}::text[]) AS asked (shard)
      WHERE EXISTS (SELECT FROM root_entry WHERE root_entry.shard = asked.shard)
        -- A snapshot that the database was made from had only its children.
        OR EXISTS (SELECT FROM shard WHERE shard.id = asked.shard
          AND NOT EXISTS (SELECT FROM block WHERE block.shard = asked.shard))`
    return new Set(rows.map(({ shard }) => shard))
  }

  /** The header of a root block. @throws TypeError if there is none at this height */
  async headerAt(height: number): Promise<RootHeader> {
    const [row] = await this.#sql<{ header: Uint8Array }[]>`SELECT header FROM root_block WHERE height = ${height}`
    if (row === undefined) throw new TypeError(`there is no root block ${height}`)
    return decodeRootHeader(Uint8Array.from(row.header))
  }

  /** At most `limit` root blocks after a height that bring anything to shards, in order. */
  async after(height: number, limit: number): Promise<readonly BringingRoot[]> {
    const rows = await this.#sql<(RootRow & { readonly released: Uint8Array | null })[]>`
      SELECT hash, header, entries, exports, outgoing, holdings, emitted, consumed,
        (SELECT outgoing FROM root_block AS before WHERE before.height = root_block.height - 1) AS released
      FROM root_block WHERE height > ${height} AND brings ORDER BY height LIMIT ${limit}`
    return rows.map((row) => ({ ...readRow(row), released: new Uint8Array(row.released ?? []) }))
  }

  /** The out items of blocks, in the order asked for. @throws TypeError if one of them is not there */
  async outgoing(blocks: readonly BlockPlace[]): Promise<Uint8Array[]> {
    const found = await outgoingByPlace(this.#databases, blocks)
    return blocks.map(({ shard, height }, i) => {
      const outgoing = found[i]
      if (outgoing != null) return outgoing
      throw new TypeError(`block ${height} of shard ${shard}, which a root block lists, is not stored`)
    })
  }
}

/**
 * What stands below the others is run first: a leader that was replaced is told so before anything that the newer one
 * has written could look like a fork.
 */
const COMMIT = `
WITH new_export AS (
  INSERT INTO export (key, since, value)
  SELECT key, $1::bigint, CASE WHEN length >= 0 THEN substring($19::bytea from start for length) END
  FROM jsonb_array_elements_text($18::text::jsonb) WITH ORDINALITY AS name (key, i)
  JOIN unnest($20::text::int[], $21::text::int[]) WITH ORDINALITY AS place (start, length, i) USING (i)
), kept AS (
  INSERT INTO cell (realm, path, record)
  SELECT ${ROOT_REALM}, substring($22::bytea from (32 * i - 31)::int for 32), substring($23::bytea from start for length)
  FROM unnest($24::text::int[], $25::text::int[]) WITH ORDINALITY AS row (start, length, i)
  ON CONFLICT (realm, path) DO UPDATE SET record = excluded.record
), gone AS (
  DELETE FROM cell WHERE realm = ${ROOT_REALM} AND path IN (
    SELECT substring($26::bytea from 32 * i + 1 for 32) FROM generate_series(0, length($26::bytea) / 32 - 1) AS i
  )
), new_outcome AS (
  INSERT INTO outcome (tx, shard, height, delta, refused, detail)
  SELECT substring($27::bytea from (32 * i - 31)::int for 32), '${ROOT_SHARD}', $1, delta, refused,
    substring($30::bytea from start for length)
  FROM unnest($28::text::int[], $29::text::boolean[], $31::text::int[], $32::text::int[])
    WITH ORDINALITY AS row (delta, refused, start, length, i)
), new_events AS (
  INSERT INTO core.event_batch (shard, height, topics, count, body)
  SELECT '${ROOT_SHARD}', $1, $33::text::text[], $34::int, $35::bytea WHERE $34::int > 0
), new_entry AS (
  INSERT INTO root_entry (shard, height, root)
  SELECT shard, height, $1
  FROM unnest($7::text::text[], $8::text::int8[]) AS entry (shard, height)
)
INSERT INTO root_block (height, hash, header, votes, entries, time, outgoing, delta, exports, holdings, emitted, consumed, brings)
SELECT $1::bigint, $2::bytea, $3::bytea, $4::bytea, $5::bytea, $6::text::timestamptz, $11::bytea, $12::bytea, $13::bytea,
  $14::text::numeric, $15::text::numeric, $16::text::numeric, $17::boolean
FROM core.check_fence($9::text, $10::text::bigint)`

/** A root block that brings something to shards. */
export interface BringingRoot extends RootBlock {
  /** What the root block before sent. */
  readonly released: Uint8Array
}

interface RootRow {
  readonly hash: Uint8Array
  readonly header: Uint8Array
  readonly entries: Uint8Array
  readonly exports: Uint8Array
  readonly outgoing: Uint8Array
  readonly holdings: string
  readonly emitted: string
  readonly consumed: string
}

const readRow = ({ hash, header, entries, exports, outgoing, holdings, emitted, consumed }: RootRow): RootBlock => ({
  header: decodeRootHeader(header),
  hash,
  entries: decodeEntries(entries),
  exports: decodeExportChanges(exports),
  outgoing: new Uint8Array(outgoing),
  totals: { holdings: BigInt(holdings), emitted: BigInt(emitted), consumed: BigInt(consumed) },
})

/** CBOR list of [shard, height, header hash]. */
export function encodeEntries(entries: readonly CommittedHeader[]): Uint8Array {
  const writer = new Writer()
  writer.arrayHeader(entries.length)
  writer.raw(concat(...entries.map(encodeCommittedHeader)))
  return writer.finish()
}

/** Reads what `encodeEntries` wrote. @throws CodecError */
export function decodeEntries(bytes: Uint8Array): CommittedHeader[] {
  const reader = new Reader(bytes)
  const entries: CommittedHeader[] = []
  for (let left = reader.arrayHeader(); left > 0; left--) {
    reader.arrayOf(3)
    entries.push({ shard: reader.text(), height: reader.uint(), hash: reader.bytesOf(32) })
  }
  return entries
}
