import type { Log, Sql } from '../plugin.ts'
import { Backoff } from './backoff.ts'
import type { EventStore } from './store.ts'

/** How long an event can stay unseen if no one says that it was written. */
const POLL_MS = 1000

export interface SequencerOptions {
  readonly sql: Sql
  readonly store: EventStore
  readonly log: Log
  /** Called with the stream's last place whenever it may have grown. */
  readonly onHead: (head: number) => void
}

/**
 * Gives committed batches their places in the stream. Runs when woken, when Postgres notifies `core_events`, and once
 * a second, because both can be lost. Every process on the database has one: the row lock of the stream's head makes
 * them take turns, and whoever places events notifies the others of the new head. While the database is away it keeps
 * trying.
 */
export class Sequencer {
  readonly #options: SequencerOptions
  readonly #stop = new AbortController()
  readonly #backoff = new Backoff()
  #running: Promise<void> | undefined
  #again = false
  #poll: NodeJS.Timeout | undefined
  #unlisten: (() => Promise<void>) | undefined

  constructor(options: SequencerOptions) {
    this.#options = options
  }

  /** Places what is waiting, then goes on by itself. Rejects if the database cannot be reached now. */
  async start(): Promise<void> {
    await this.#listen()
    let more = true
    while (more) more = await this.#place()
    this.#poll = setInterval(() => this.wake(), POLL_MS)
    this.#poll.unref()
  }

  /** Says that batches may have been committed. Cheap, and may be called as often as one likes. */
  wake(): void {
    this.#again = true
    if (this.#running !== undefined || this.#stop.signal.aborted) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      if (this.#again) this.wake()
    })
  }

  /** Ends after what is being placed now. */
  async stop(): Promise<void> {
    this.#stop.abort()
    clearInterval(this.#poll)
    await this.#running
    await this.#unlisten?.().catch((error: unknown) =>
      this.#options.log.debug({ error }, 'the event listener was gone already'),
    )
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stop.signal.aborted) {
      this.#again = false
      try {
        this.#again = (await this.#place()) || this.#again
        if (this.#backoff.failing) await this.#recover()
      } catch (error) {
        if (!this.#backoff.failing) this.#options.log.warn({ error }, 'events wait: the database does not answer')
        this.#again = true
        await this.#backoff.wait(this.#stop.signal)
      }
    }
  }

  async #place(): Promise<boolean> {
    const { head, more } = await this.#options.store.sequence()
    this.#options.onHead(head)
    return more
  }

  /** After an outage the listening connection may be gone for good. */
  async #recover(): Promise<void> {
    await this.#unlisten?.().catch((error: unknown) =>
      this.#options.log.debug({ error }, 'the event listener was gone already'),
    )
    await this.#listen()
    this.#backoff.reset()
    this.#options.log.info('events flow again')
  }

  async #listen(): Promise<void> {
    const { sql, onHead } = this.#options
    const written = await sql.listen('core_events', () => this.wake())
    // Another process may have placed events that nobody told us of.
    const placed = await sql.listen('core_event_head', (head) => {
      if (/^\d{1,15}$/.test(head)) onHead(Number(head))
    })
    this.#unlisten = async () => {
      await written.unlisten()
      await placed.unlisten()
    }
  }
}
