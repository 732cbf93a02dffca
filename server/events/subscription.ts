import type { EventRecord } from '../plugin.ts'
import type { Batch } from './batch.ts'
import { badCursor, formatCursor, type Position } from './cursor.ts'
import { cursorExpired, draining, slowConsumer } from './errors.ts'
import type { EventStore } from './store.ts'
import type { Tail } from './tail.ts'

export interface SubscriptionOptions {
  readonly topics: ReadonlySet<string> | null
  /** Where to go on; the stream's present end if absent. */
  readonly after: Position | undefined
  readonly signal: AbortSignal | undefined
  /** How many events a reader who had caught up may fall behind. */
  readonly maxBehind: number
}

/** Every reader of history may hold this much. */
const PORTION = { rows: 32, bytes: 256 << 10 }

type Result = IteratorResult<EventRecord, undefined>
const END: Result = { done: true, value: undefined }

/**
 * One reader's way through the stream. It holds a place, not a queue: what is near the end comes from the shared
 * tail, what is further back from Postgres, so history hands over to live by itself, and a reader who stops reading
 * costs no memory.
 */
export class Subscription implements AsyncIterableIterator<EventRecord, undefined> {
  readonly topics: ReadonlySet<string> | null
  readonly #store: EventStore
  readonly #tail: Tail
  readonly #options: SubscriptionOptions
  /** From here on the tail knows this reader's topics. */
  readonly #followedFrom: number
  /** All batches up to here are done with. */
  #seq: number
  /** The batch being read, and the next event in it. */
  #batch: Batch | undefined
  #next = 0
  /** The first batch to read, and where in it to begin. */
  readonly #begin: Position | undefined
  /** Batches read from Postgres, and the place up to which that was everything. */
  #history: { readonly batches: Batch[]; readonly upTo: number } | undefined
  /** How many events had gone by in the tail at this reader's place; undefined until it has caught up once. */
  #seen: number | undefined
  #checked = false
  #ended = false
  #wake: (() => void) | undefined
  #last: Promise<unknown> = Promise.resolve()
  readonly #onAbort = () => this.#end()

  constructor(store: EventStore, tail: Tail, options: SubscriptionOptions) {
    this.#store = store
    this.#tail = tail
    this.#options = options
    this.topics = options.topics
    this.#begin = options.after
    this.#followedFrom = tail.follow(this)
    this.#seq = options.after === undefined ? tail.position : options.after.seq - 1
    this.#checked = options.after === undefined
    if (options.signal?.aborted) this.#end()
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  notify(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  /** @throws StreamEnd */
  next(): Promise<Result> {
    // Calls that overlap are answered one after the other.
    const result = this.#last.then(() => this.#step())
    this.#last = result.catch(() => undefined)
    return result
  }

  async return(): Promise<Result> {
    this.#end()
    return END
  }

  /** Behind the last event that was given out. */
  get cursor(): string {
    return this.#batch !== undefined
      ? formatCursor(this.#batch.seq, this.#next - 1)
      : this.#begin !== undefined && this.#begin.seq > this.#seq
        ? formatCursor(this.#begin.seq, this.#begin.index)
        : formatCursor(this.#seq + 1, -1)
  }

  async #step(): Promise<Result> {
    try {
      while (!this.#ended) {
        if (this.#tail.draining) throw draining(this.cursor)
        const event = this.#take()
        if (event !== undefined) return { done: false, value: event }
        await this.#move()
      }
      return END
    } catch (error) {
      this.#end()
      throw error
    }
  }

  /** The next wanted event of the batch at hand. */
  #take(): EventRecord | undefined {
    const batch = this.#batch
    if (batch === undefined) return undefined
    const records = batch.records()
    while (this.#next < records.length) {
      const record = records[this.#next++]
      if (record !== undefined && (this.topics === null || this.topics.has(record.topic))) return record
    }
    this.#seq = batch.seq
    this.#batch = undefined
    return undefined
  }

  /** Goes on to the next batch, or waits for one. */
  async #move(): Promise<void> {
    if (!this.#checked) await this.#check()
    const history = this.#history
    if (history !== undefined) {
      const batch = history.batches.shift()
      if (batch !== undefined) return this.#open(batch)
      this.#seq = history.upTo
      this.#history = undefined
      return
    }
    if (this.#seq < Math.max(this.#tail.floor, Math.min(this.#followedFrom, this.#tail.position)))
      return this.#readHistory()
    const entry = this.#tail.after(this.#seq)
    if (entry !== undefined) {
      this.#refuseSlow()
      if (this.#seen !== undefined) this.#seen = entry.total
      if (entry.batch.has(this.topics)) this.#open(entry.batch)
      else this.#seq = entry.batch.seq
      return
    }
    this.#seq = Math.max(this.#seq, this.#tail.position)
    this.#seen = this.#tail.total
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      if (this.#ended || this.#tail.draining || this.#tail.position > this.#seq) this.notify()
    })
  }

  #open(batch: Batch): void {
    this.#batch = batch
    this.#next = this.#begin?.seq === batch.seq ? this.#begin.index + 1 : 0
  }

  async #readHistory(): Promise<void> {
    this.#refuseSlow()
    const after = this.#seq
    const read = await this.#store.read({ after, upTo: this.#tail.position }, this.topics, PORTION)
    // Asked after the read: what was forgotten meanwhile may be missing from it.
    const pruned = await this.#store.pruned(this.topics)
    if (pruned > after) throw cursorExpired(formatCursor(pruned + 1, -1))
    this.#history = { batches: [...read.batches], upTo: read.upTo }
  }

  async #check(): Promise<void> {
    const begin = this.#begin
    if (begin !== undefined) {
      const end = begin.index === -1 ? begin.seq - 1 : begin.seq
      if (end > this.#tail.position && end > (await this.#store.head()))
        throw badCursor('This cursor is newer than every event here')
    }
    this.#checked = true
  }

  #refuseSlow(): void {
    if (this.#seen === undefined) return
    const behind = this.#tail.total - this.#seen
    if (behind > this.#options.maxBehind) throw slowConsumer(this.cursor, behind)
  }

  #end(): void {
    this.#ended = true
    this.#batch = undefined
    this.#history = undefined
    this.#tail.unfollow(this)
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.notify()
  }
}
