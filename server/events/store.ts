import type { Sql } from '../plugin.ts'
import { Batch, type BatchRow, type Revivers } from './batch.ts'

/** How much one statement may bring into memory; one batch always comes, whatever its size. */
export interface Portion {
  readonly rows: number
  readonly bytes: number
}

/** A piece of the stream between two places. */
export interface Span {
  /** Exclusive. */
  readonly after: number
  /** Inclusive. */
  readonly upTo: number
}

/** What of the stream was read. */
export interface Read {
  readonly batches: readonly Batch[]
  /** Everything up to here was looked at. */
  readonly upTo: number
}

/** The stream as Postgres holds it. */
export class EventStore {
  readonly #sql: Sql
  readonly #revivers: Revivers

  constructor(sql: Sql, revivers: Revivers) {
    this.#sql = sql
    this.#revivers = revivers
  }

  /** Gives committed batches their places. Returns the stream's last place, and whether more are waiting. */
  async sequence(): Promise<{ readonly head: number; readonly more: boolean }> {
    const most = 1000
    const [row] = await this.#sql<{ head: bigint; added: number }[]>`
      SELECT head, added FROM core.sequence_events(${most})`
    if (row === undefined) throw new TypeError('core.sequence_events answered without a row')
    return { head: Number(row.head), more: row.added === most }
  }

  /** The stream's last place. */
  async head(): Promise<number> {
    const [row] = await this.#sql<{ seq: bigint }[]>`SELECT seq FROM core.event_head`
    return Number(row?.seq ?? 0)
  }

  /** The place up to which events of these topics may be gone; 0 if nothing is. */
  async pruned(topics: ReadonlySet<string> | null): Promise<number> {
    const among = topics === null ? this.#sql`true` : this.#sql`topic = ANY(${[...topics]})`
    const [row] = await this.#sql<{ seq: bigint }[]>`
      SELECT coalesce(max(seq), 0)::bigint AS seq FROM core.event_pruned WHERE ${among}`
    return Number(row?.seq ?? 0)
  }

  /** The next batches of the span that hold one of the topics: a bounded piece, in order. */
  async read({ after, upTo }: Span, topics: ReadonlySet<string> | null, portion: Portion): Promise<Read> {
    const among = topics === null ? this.#sql`true` : this.#sql`topics && ${[...topics]}`
    const found = await this.#sql<BatchRow[]>`
      SELECT batch.seq, time, shard, height, topics, count, body
      FROM (
        SELECT seq, sum(octet_length(body)) OVER (ORDER BY seq) - octet_length(body) AS before
        FROM (
          SELECT seq, body FROM core.event_batch
          WHERE seq > ${after} AND seq <= ${upTo} AND ${among} ORDER BY seq LIMIT ${portion.rows}
        ) AS near
      ) AS piece
      JOIN core.event_batch AS batch ON batch.seq = piece.seq
      WHERE piece.before < ${portion.bytes}
      ORDER BY batch.seq`
    const batches = found.map((row) => new Batch(row, this.#revivers))
    const last = batches.at(-1)
    // Nothing found is known only of a whole span; a bounded piece ends with its last batch.
    return { batches, upTo: last === undefined ? upTo : last.seq }
  }

  /**
   * Forgets events older than their topics' retention. A batch goes when none of its topics is kept any more.
   * @param cutoffs for each topic that is not kept for good, the time before which it is not
   * @returns how many batches went
   */
  async prune(cutoffs: ReadonlyMap<string, Date>): Promise<number> {
    return this.#sql.begin(async (tx) => {
      for (const [topic, cutoff] of cutoffs) {
        await tx`
          INSERT INTO core.event_pruned (topic, seq)
          SELECT ${topic}, max(seq) FROM core.event_batch WHERE seq IS NOT NULL AND time < ${cutoff} HAVING max(seq) IS NOT NULL
          ON CONFLICT (topic) DO UPDATE SET seq = greatest(core.event_pruned.seq, excluded.seq)`
      }
      const gone = await tx`
        DELETE FROM core.event_batch AS batch
        WHERE seq <= (SELECT max(seq) FROM core.event_pruned)
          AND NOT EXISTS (
            SELECT 1 FROM unnest(batch.topics) AS held(topic)
            LEFT JOIN core.event_pruned AS pruned ON pruned.topic = held.topic
            WHERE pruned.seq IS NULL OR pruned.seq < batch.seq
          )`
      return gone.count
    })
  }
}
