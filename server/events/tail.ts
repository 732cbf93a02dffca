import type { Log } from '../plugin.ts'
import { Backoff } from './backoff.ts'
import type { Batch } from './batch.ts'
import type { EventStore } from './store.ts'

/** What the newest part of the stream may take in memory. Readers who are further back read from Postgres. */
const MAX_BATCHES = 1024
const MAX_BYTES = 32 << 20
const PORTION = { rows: 128, bytes: 8 << 20 }

/** Someone who follows the stream. */
export interface Follower {
  readonly topics: ReadonlySet<string> | null
  /** Called when the tail moved on, or ends. */
  notify(): void
}

/** A batch, and how many events the tail had seen when this one was added. */
export interface TailEntry {
  readonly batch: Batch
  readonly total: number
}

/**
 * The newest part of the stream, read and decoded once for all followers. It holds every batch between `floor` and
 * `position` that has a topic which a follower wanted when it was read.
 */
export class Tail {
  readonly #store: EventStore
  readonly #log: Log
  readonly #followers = new Set<Follower>()
  readonly #stop = new AbortController()
  readonly #backoff = new Backoff()
  #entries: TailEntry[] = []
  #bytes = 0
  #floor = 0
  #position = 0
  #target = 0
  #total = 0
  #draining = false
  #reading: Promise<void> | undefined

  constructor(store: EventStore, log: Log) {
    this.#store = store
    this.#log = log
  }

  /** The last place that followers can read. */
  get position(): number {
    return this.#position
  }

  /** The stream's last place, as far as is known here. */
  get target(): number {
    return this.#target
  }

  /** Everything behind this place that followers want is in memory. */
  get floor(): number {
    return this.#floor
  }

  /** How many events of wanted batches have gone by. */
  get total(): number {
    return this.#total
  }

  get draining(): boolean {
    return this.#draining
  }

  /**
   * Adds a follower. From the place returned on, the tail is read with its topics in mind; a read under way was not.
   */
  follow(follower: Follower): number {
    this.#followers.add(follower)
    return this.#target
  }

  unfollow(follower: Follower): void {
    this.#followers.delete(follower)
  }

  /** The next batch in memory behind a place that is not below `floor`. */
  after(seq: number): TailEntry | undefined {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const entry = this.#entries[middle]
      if (entry !== undefined && entry.batch.seq > seq) high = middle
      else low = middle + 1
    }
    return this.#entries[low]
  }

  /** Moves on to the stream's last place. */
  advance(head: number): void {
    if (head <= this.#target) return
    this.#target = head
    this.#begin()
  }

  /** Ends all followers. */
  drain(): void {
    this.#draining = true
    this.#notify()
  }

  async stop(): Promise<void> {
    this.drain()
    this.#stop.abort()
    await this.#reading
  }

  #begin(): void {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
      // The target may have moved after the last look at it.
      if (this.#position < this.#target && !this.#stop.signal.aborted) this.#begin()
    })
  }

  async #read(): Promise<void> {
    while (this.#position < this.#target && !this.#stop.signal.aborted) {
      if (this.#followers.size === 0) {
        this.#skipTo(this.#target)
        return
      }
      try {
        const read = await this.#store.read({ after: this.#position, upTo: this.#target }, this.#wanted(), PORTION)
        this.#backoff.reset()
        for (const batch of read.batches) this.#add(batch)
        this.#position = read.upTo
        this.#notify()
      } catch (error) {
        if (!this.#backoff.failing) this.#log.warn({ error }, 'subscriptions wait: the database does not answer')
        await this.#backoff.wait(this.#stop.signal)
      }
    }
  }

  #skipTo(seq: number): void {
    this.#entries = []
    this.#bytes = 0
    this.#floor = seq
    this.#position = seq
  }

  #add(batch: Batch): void {
    this.#total += batch.count
    this.#bytes += batch.bytes
    this.#entries.push({ batch, total: this.#total })
    while (this.#entries.length > MAX_BATCHES || (this.#bytes > MAX_BYTES && this.#entries.length > 1)) {
      const oldest = this.#entries.shift()
      if (oldest === undefined) return
      this.#bytes -= oldest.batch.bytes
      this.#floor = oldest.batch.seq
    }
  }

  #wanted(): ReadonlySet<string> | null {
    const wanted = new Set<string>()
    for (const { topics } of this.#followers) {
      if (topics === null) return null
      for (const topic of topics) wanted.add(topic)
    }
    return wanted
  }

  #notify(): void {
    for (const follower of this.#followers) follower.notify()
  }
}
