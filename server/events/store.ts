import type { Sql } from '../plugin.ts'
import { Batch, type BatchRow, type Revivers } from './batch.ts'

/** Places of the stream that one transaction of `prune` goes through. */
const PRUNED_AT_ONCE = 20_000n

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
    let gone = 0
    for (const [topic, cutoff] of cutoffs) {
      const [newest] = await this.#sql<{ seq: bigint }[]>`
        SELECT seq FROM core.event_batch WHERE seq IS NOT NULL AND time < ${cutoff} ORDER BY time DESC LIMIT 1`
      if (newest === undefined) continue
      for (let more = true; more; ) {
        const piece = await this.#prunePiece(topic, newest.seq)
        gone += piece.gone
        more = piece.more
      }
    }
    return gone
  }

  /**
   * Moves the end of a topic's past a bounded piece on, and removes from that piece what no topic keeps: however much
   * there is, each transaction is short, and what was looked at once is not looked at again.
   */
  #prunePiece(topic: string, target: bigint): Promise<{ readonly gone: number; readonly more: boolean }> {
    return this.#sql.begin(async (tx) => {
      // Several processes take turns.
      await tx`INSERT INTO core.event_pruned (topic, seq) VALUES (${topic}, 0) ON CONFLICT DO NOTHING`
      const [from] = await tx<{ seq: bigint }[]>`
        SELECT greatest(pruned.seq, (SELECT min(seq) - 1 FROM core.event_batch))::bigint AS seq
        FROM core.event_pruned AS pruned WHERE topic = ${topic} FOR UPDATE OF pruned`
      const begin = from?.seq ?? 0n
      if (begin >= target) return { gone: 0, more: false }
      const end = begin + PRUNED_AT_ONCE < target ? begin + PRUNED_AT_ONCE : target
      await tx`UPDATE core.event_pruned SET seq = ${end} WHERE topic = ${topic}`
      const { count } = await tx`
        DELETE FROM core.event_batch AS batch
        WHERE seq > ${begin} AND seq <= ${end} AND topics @> ${[topic]}
          AND NOT EXISTS (
            SELECT 1 FROM unnest(batch.topics) AS held(topic)
            LEFT JOIN core.event_pruned AS pruned ON pruned.topic = held.topic
            WHERE pruned.seq IS NULL OR pruned.seq < batch.seq
          )`
      return { gone: count, more: end < target }
    })
  }
}
