import { encode, encodeSplitProof, type SplitProof, Writer } from '../../../protocol/index.ts'
import type { Sql, Statements } from '../../../server/plugin.ts'
import { BlockCommitted } from '../api.ts'
import type { Fence } from '../fence.ts'
import { EMPTY_BODY, type FirstBlock } from './child-state.ts'
import { type ShardSpace, shardSpace } from './shard-space.ts'

/**
 * The first blocks of shards in Postgres. Those of both children, the end of their parent and what they inherit are one
 * statement, held to the leader's fence: all of it is there, or nothing.
 */
export class BirthStore {
  readonly #sql: Sql
  readonly #statements: Statements
  readonly #space: ShardSpace
  readonly #fence: Fence

  /** `space`: of the shard that is split, or that begins with nothing. */
  constructor(sql: Sql, statements: Statements, space: ShardSpace, fence: Fence) {
    this.#sql = sql
    this.#statements = statements
    this.#space = space
    this.#fence = fence
  }

  /** True if the shard's children have their first blocks. */
  async isSplit(): Promise<boolean> {
    const [row] = await this.#sql<{ split: boolean }[]>`
      SELECT split IS NOT NULL AS split FROM shard WHERE id = ${this.#space.id}`
    return row?.split === true
  }

  /** True if the shard has a block. */
  async isBorn(): Promise<boolean> {
    const [row] = await this.#sql<{ born: boolean }[]>`
      SELECT EXISTS (SELECT FROM shard WHERE id = ${this.#space.id}) AS born`
    return row?.born === true
  }

  /** Makes the first block of this shard durable. @throws a unique violation if it has one, FENCED of a newer leader */
  async begin(first: FirstBlock): Promise<void> {
    await this.#write([first], null)
  }

  /** Makes the split of this shard durable. @throws a unique violation if it was made before, FENCED */
  async split(children: readonly [FirstBlock, FirstBlock], proof: SplitProof): Promise<void> {
    await this.#write(children, proof)
  }

  async #write(blocks: readonly FirstBlock[], proof: SplitProof | null): Promise<void> {
    const { id, realm, prefix } = this.#space
    const spaces = blocks.map(({ header }) => shardSpace(header.shard))
    const packed = pack(blocks.map(({ headerBytes }) => headerBytes))
    const events = pack(blocks.map(eventOf))
    await this.#statements.run('begin-shards', BEGIN, [
      list(spaces.map((space) => space.id)),
      realm,
      list(spaces.map((space) => space.prefix)),
      proof === null ? null : id,
      list(blocks.map(({ header }) => header.height)),
      packed.bytes,
      list(packed.starts),
      list(packed.lengths),
      pack(blocks.map(({ hash }) => hash)).bytes,
      EMPTY_BODY,
      encode([]),
      list(blocks.map(({ header }) => new Date(header.time).toISOString())),
      list(blocks.map(({ totals }) => String(totals.holdings))),
      list(blocks.map(({ totals }) => String(totals.emitted))),
      list(blocks.map(({ totals }) => String(totals.consumed))),
      events.bytes,
      list(events.starts),
      list(events.lengths),
      BlockCommitted.id,
      prefix.length,
      proof === null ? null : encodeSplitProof(proof),
      this.#fence.lease,
      String(this.#fence.fence),
    ])
  }
}

/** The block's own event, as every block has one: CBOR [[topic, payload, origin, action]]. */
function eventOf({ header, hash }: FirstBlock): Uint8Array {
  const writer = new Writer()
  const { shard, height, txCount, time } = header
  writer.value([[BlockCommitted.id, { shard, height, hash, txCount, time }, new Uint8Array(0), 0]])
  return writer.finish()
}

const BEGIN = `
WITH first AS (
  SELECT id, prefix, height, substring($6::bytea from header_at for header_length) AS header,
    substring($9::bytea from (32 * i - 31)::int for 32) AS hash, time, holdings, emitted, consumed,
    substring($16::bytea from event_at for event_length) AS events
  FROM core.check_fence($22::text, $23::text::bigint), unnest($1::text::text[], $3::text::text[], $5::text::bigint[],
    $7::text::int[], $8::text::int[], $12::text::timestamptz[], $13::text::numeric[], $14::text::numeric[],
    $15::text::numeric[], $17::text::int[], $18::text::int[]) WITH ORDINALITY
    AS row (id, prefix, height, header_at, header_length, time, holdings, emitted, consumed, event_at, event_length, i)
), new_shard AS (
  INSERT INTO shard (id, realm, prefix, parent, folded) SELECT id, $2::bigint, prefix, $4::text, height FROM first
), new_block AS (
  INSERT INTO block (shard, height, hash, header, body, receipts, outgoing, delta, tx_count, time, holdings, emitted, consumed)
  SELECT id, height, hash, header, $10::bytea, '', '', $11::bytea, 0, time, holdings, emitted, consumed FROM first
), new_events AS (
  INSERT INTO core.event_batch (shard, height, topics, count, body)
  SELECT id, height, ARRAY[$19::text], 1, events FROM first
), inherited AS (
  UPDATE deferred SET shard = $4 || ((get_byte(key, $20::int / 8) >> (7 - $20::int % 8)) & 1)::text
  FROM (SELECT count(*) FROM first) AS fenced WHERE shard = $4
)
UPDATE shard SET split = $21::bytea FROM (SELECT count(*) FROM first) AS fenced WHERE id = $4`

/** A Postgres array literal. */
const list = (values: readonly (number | string)[]): string => `{${values.map((value) => `"${value}"`).join(',')}}`

/** Pieces one after the other, where each begins (from 1, as SQL counts), and how long it is. */
function pack(pieces: readonly Uint8Array[]): { bytes: Uint8Array; starts: number[]; lengths: number[] } {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  const starts = pieces.map((piece) => {
    bytes.set(piece, at)
    at += piece.length
    return at - piece.length + 1
  })
  return { bytes, starts, lengths: pieces.map((piece) => piece.length) }
}
