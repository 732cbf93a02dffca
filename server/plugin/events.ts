import type { SqlOrTransaction } from './sql.ts'
import type { Topic } from './tokens.ts'

/** One event as a reader sees it. */
export interface EventRecord<P = unknown> {
  /** Where this event is in commit order; pass it as `after` to go on behind it. */
  readonly cursor: string
  readonly topic: string
  readonly payload: P
  /** The shard and block that caused it, for events that a ledger emitted. */
  readonly shard: string | null
  readonly height: bigint | null
  readonly time: Date
}

/** A bounded piece of the past. */
export interface EventPage<P = unknown> {
  readonly events: readonly EventRecord<P>[]
  readonly hasMore: boolean
}

/** What a plugin does with events. Cursors follow commit order. */
export interface Events {
  /** Before the first event of all: as `after`, it gives everything that is kept. */
  readonly beginning: string

  /**
   * Writes an event in the caller's transaction: it exists if and only if the transaction commits.
   * The payload is checked against the topic's schema first.
   */
  publish<P>(tx: SqlOrTransaction, topic: Topic<P>, payload: NoInfer<P>): Promise<void>

  /**
   * Writes many at once, in this order: far cheaper than one by one. All payloads are checked before any is written.
   *
   *     await host.events.publishAll(tx, readings.map((reading) => [Measured, reading]))
   */
  publishAll<P extends readonly unknown[]>(
    tx: SqlOrTransaction,
    events: { readonly [Each in keyof P]: readonly [topic: Topic<P[Each]>, payload: NoInfer<P[Each]>] },
  ): Promise<void>

  /**
   * Events after the cursor (or from now on), then live, without gap or repeat. It ends by throwing an error with a
   * code (`SLOW_CONSUMER`, `CURSOR_EXPIRED`, `DRAINING`) and the cursor to resume from, or quietly by `signal`.
   */
  subscribe<P>(
    topics: Topic<P> | readonly (Topic<P> | string)[] | null,
    options?: { readonly after?: string | null | undefined; readonly signal?: AbortSignal },
  ): AsyncIterable<EventRecord<P>>

  /** At most `first` events after the cursor; from the oldest kept one without a cursor. */
  page<P>(
    topics: Topic<P> | readonly (Topic<P> | string)[] | null,
    first: number,
    after?: string,
  ): Promise<EventPage<P>>

  /** A payload as it is stored, with the types that its topic promises: a small integer may stand for a bigint. */
  revive(topic: string, stored: unknown): unknown
  /** Tells the sequencer that rows were committed by another connection; without it they are seen within a second. */
  wake(): void
}
