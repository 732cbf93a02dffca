import {
  type CommittedHeader,
  concat,
  decodeRootHeader,
  encodeCommittedHeader,
  encodeRootHeader,
  encodeVotes,
  Reader,
  type Vote,
  Writer,
} from '../../../protocol/index.ts'
import type { Sql } from '../../../server/plugin.ts'
import type { Fence } from '../fence.ts'
import type { Totals } from '../shard/made-block.ts'
import type { RootBlock } from './orderer.ts'
import { RootView } from './root-view.ts'
import { storedExports } from './stored-exports.ts'

/** A stored block of a shard, as the root chain needs it after a restart. */
export interface StoredBlock {
  readonly height: number
  readonly hash: Uint8Array
  readonly outgoing: Uint8Array
  /** True if a root block lists it. */
  readonly listed: boolean
  readonly totals: Totals
}

/** Root blocks in Postgres. */
export class RootStore {
  readonly #sql: Sql
  readonly #fence: Fence

  constructor(sql: Sql, fence: Fence) {
    this.#sql = sql
    this.#fence = fence
  }

  /** Makes a root block durable, in one statement. @throws the connection's error, or FENCED of a newer leader */
  async commit(block: RootBlock, votes: readonly Vote[]): Promise<void> {
    await this.#sql.unsafe(
      COMMIT,
      [
        block.header.height,
        block.hash,
        encodeRootHeader(block.header),
        encodeVotes(votes),
        encodeEntries(block.entries),
        new Date(block.header.time).toISOString(),
        `{${block.entries.map((entry) => `"${entry.shard}"`).join(',')}}`,
        `{${block.entries.map((entry) => entry.height).join(',')}}`,
        this.#fence.lease,
        String(this.#fence.fence),
      ] as never,
      { prepare: true },
    )
  }

  /** The last root block; undefined before genesis. */
  async tip(): Promise<RootBlock | undefined> {
    const [row] = await this.#sql<RootRow[]>`
      SELECT hash, header, entries FROM root_block ORDER BY height DESC LIMIT 1`
    return row === undefined ? undefined : readRow(row)
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
    const rows = await this.#sql<
      {
        height: bigint
        hash: Uint8Array
        outgoing: Uint8Array
        holdings: string
        emitted: string
        consumed: string
        listed: boolean
      }[]
    >`
      SELECT block.height, hash, outgoing, holdings, emitted, consumed, block.height = last.height AS listed
      FROM block, (SELECT max(height) AS height FROM root_entry WHERE shard = ${shard}) AS last
      WHERE block.shard = ${shard} AND block.height >= last.height ORDER BY block.height`
    return rows.map(({ height, hash, outgoing, listed, holdings, emitted, consumed }) => ({
      height: Number(height),
      hash,
      outgoing,
      listed,
      totals: { holdings: BigInt(holdings), emitted: BigInt(emitted), consumed: BigInt(consumed) },
    }))
  }

  /** At most `limit` root blocks after a height that commit anything, in order. */
  async after(height: number, limit: number): Promise<readonly RootBlock[]> {
    const rows = await this.#sql<RootRow[]>`
      SELECT hash, header, entries FROM root_block
      WHERE height > ${height} AND entries <> ${encodeEntries([])} ORDER BY height LIMIT ${limit}`
    return rows.map(readRow)
  }

  /** The out items of blocks, in the order asked for. */
  async outgoing(blocks: readonly { readonly shard: string; readonly height: number }[]): Promise<Uint8Array[]> {
    const rows = await this.#sql<{ outgoing: Uint8Array }[]>`
      SELECT block.outgoing FROM unnest(${blocks.map((block) => block.shard)}::text[],
        ${blocks.map((block) => block.height)}::int8[]) WITH ORDINALITY AS wanted (shard, height, place)
      JOIN block ON block.shard = wanted.shard AND block.height = wanted.height ORDER BY place`
    return rows.map((row) => row.outgoing)
  }
}

const COMMIT = `
WITH new_block AS (
  INSERT INTO root_block (height, hash, header, votes, entries, time)
  SELECT $1::bigint, $2::bytea, $3::bytea, $4::bytea, $5::bytea, $6::text::timestamptz
  FROM core.check_fence($9::text, $10::text::bigint)
)
INSERT INTO root_entry (shard, height, root)
SELECT shard, height, $1 FROM unnest($7::text::text[], $8::text::int8[]) AS entry (shard, height)`

interface RootRow {
  readonly hash: Uint8Array
  readonly header: Uint8Array
  readonly entries: Uint8Array
}

const readRow = (row: RootRow): RootBlock => ({
  header: decodeRootHeader(row.header),
  hash: row.hash,
  entries: decodeEntries(row.entries),
  exports: [],
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
