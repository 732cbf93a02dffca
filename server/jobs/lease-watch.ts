import { messageOf } from '../db/errors.ts'
import { pause } from '../pause.ts'
import type { Log, Sql } from '../plugin.ts'
import type { Leader, LeaseTable } from './lease-table.ts'

const POLL_MS = 500
/** Beyond the moment at which a lease expires, so that the database agrees that it has. */
const MARGIN_MS = 5

type Listener = (leader: Leader | undefined) => void

/**
 * Knows who leads what. It asks when Postgres notifies `core_lease`, at the moment when a lease expires, and twice a
 * second, because notifications can be lost. While the database is away the last answer stands.
 */
export class LeaseWatch {
  readonly #table: LeaseTable
  readonly #sql: Sql
  readonly #log: Log
  readonly #stopped = new AbortController()
  readonly #leaders = new Map<string, Leader>()
  readonly #listeners = new Map<string, Set<Listener>>()
  #wake = new AbortController()
  #running: Promise<void> | undefined
  #unlisten: (() => Promise<void>) | undefined

  /** `sql`: the pool whose listening connection is used. */
  constructor(table: LeaseTable, sql: Sql, log: Log) {
    this.#table = table
    this.#sql = sql
    this.#log = log
  }

  /** The last known leader. Only of leases that somebody watches. */
  leader(name: string): Leader | undefined {
    return this.#leaders.get(name)
  }

  /** Calls the listener with what each look finds, the first one soon; returns how to end that. */
  watch(name: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    listeners.add(listener)
    this.#running ??= this.#run()
    this.wake()
    return () => {
      listeners.delete(listener)
      if (listeners.size > 0 || this.#listeners.get(name) !== listeners) return
      this.#listeners.delete(name)
      this.#leaders.delete(name)
    }
  }

  /** Resolves when nobody leads, as far as is known, or when the signal aborts. */
  async free(name: string, signal: AbortSignal): Promise<void> {
    const found = Promise.withResolvers<void>()
    const end = this.watch(name, (leader) => leader === undefined && found.resolve())
    signal.addEventListener('abort', () => found.resolve(), { once: true })
    try {
      if (!signal.aborted) await found.promise
    } finally {
      end()
    }
  }

  /** Asks now. */
  wake(): void {
    this.#wake.abort()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    this.wake()
    await this.#running
    await this.#unlisten?.().catch((error: unknown) =>
      this.#log.debug({ error: messageOf(error) }, 'the lease listener was gone already'),
    )
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    this.#listen()
    while (!signal.aborted) {
      this.#wake = new AbortController()
      const wait = await this.#refresh()
      await pause(wait, this.#wake.signal)
    }
  }

  /** Polling does without it; so it is not waited for. */
  #listen(): void {
    this.#sql
      .listen('core_lease', () => this.wake())
      .then(({ unlisten }) => {
        this.#unlisten = unlisten
        if (this.#stopped.signal.aborted) return unlisten()
      })
      .catch((error: unknown) => this.#log.debug({ error: messageOf(error) }, 'leases are watched by asking only'))
  }

  /** Gives the milliseconds until the next look. */
  async #refresh(): Promise<number> {
    const names = [...this.#listeners.keys()]
    if (names.length === 0) return POLL_MS
    try {
      const rows = new Map((await this.#table.held(names)).map((row) => [row.name, row]))
      let wait = POLL_MS
      for (const name of names) {
        const row = rows.get(name)
        if (row !== undefined) wait = Math.min(wait, row.left + MARGIN_MS)
        this.#tell(name, row)
      }
      return wait
    } catch (error) {
      this.#log.debug({ error: messageOf(error) }, 'leases cannot be read; trying again')
      return POLL_MS
    }
  }

  #tell(name: string, found: Leader | undefined): void {
    const listeners = this.#listeners.get(name)
    if (listeners === undefined) return
    if (found === undefined) this.#leaders.delete(name)
    else this.#leaders.set(name, found)
    for (const listener of [...listeners]) listener(found)
  }
}
