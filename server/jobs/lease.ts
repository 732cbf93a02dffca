import { messageOf } from '../db/errors.ts'
import { pause } from '../pause.ts'
import type { Log } from '../plugin/host.ts'
import { LEASE_MS, type LeaseTable } from './lease-table.ts'

const RENEW_MS = 1_000
const RETRY_MS = 200

/** A lease is over: another node may hold it now. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
  readonly code = 'LEASE_LOST'
}

/**
 * A lease that this node holds, renewed once a second. Its time is counted from *before* a renewal was sent, by a clock
 * that nobody sets, so it is over here before it is over in the database.
 */
export class Lease {
  readonly name: string
  readonly fence: bigint
  readonly #table: LeaseTable
  readonly #log: Log
  readonly #lost = new AbortController()
  readonly #ended = new AbortController()
  #until: number
  #timer: NodeJS.Timeout | undefined
  #renewing: Promise<void>

  private constructor(table: LeaseTable, log: Log, name: string, fence: bigint, since: number) {
    this.#table = table
    this.#log = log
    this.name = name
    this.fence = fence
    this.#until = since + LEASE_MS
    this.#renewing = this.#renew()
    this.#watch()
  }

  /** Takes the lease; undefined if another node holds it. Throws the database's error. */
  static async acquire(table: LeaseTable, name: string, log: Log): Promise<Lease | undefined> {
    const since = performance.now()
    const fence = await table.acquire(name)
    return fence === undefined ? undefined : new Lease(table, log, name, fence, since)
  }

  /** Aborts, with a LeaseLostError as reason, when the lease is over without having been released. */
  get signal(): AbortSignal {
    return this.#lost.signal
  }

  /** Gives it back, if it is still held. The next leader need not wait then. */
  async release(): Promise<void> {
    this.#end()
    await this.#renewing
    if (this.#lost.signal.aborted) return
    try {
      await this.#table.release(this.name, this.fence)
    } catch (error) {
      this.#log.warn({ lease: this.name, error: messageOf(error) }, 'a lease was not given back; it expires by itself')
    }
  }

  /** Renews it no more: it expires by itself. */
  abandon(): void {
    this.#end()
  }

  #end(): void {
    this.#ended.abort()
    clearTimeout(this.#timer)
  }

  async #renew(): Promise<void> {
    const { signal } = this.#ended
    let wait = RENEW_MS
    let isTrouble = false
    for (;;) {
      await pause(wait, signal)
      if (signal.aborted) return
      const sent = performance.now()
      try {
        if (!(await this.#table.renew(this.name, this.fence))) return this.#lose('another node has taken it')
        this.#until = sent + LEASE_MS
        wait = RENEW_MS
        isTrouble = false
      } catch (error) {
        const fields = { lease: this.name, error: messageOf(error) }
        if (!isTrouble && !signal.aborted) this.#log.warn(fields, 'a lease could not be renewed; trying again')
        isTrouble = true
        wait = RETRY_MS
      }
    }
  }

  #watch(): void {
    this.#timer = setTimeout(
      () => {
        if (this.#ended.signal.aborted) return
        // If this process was held up, an answer in time may have come and not been read: it has its turn first.
        setImmediate(() => {
          if (this.#ended.signal.aborted) return
          if (performance.now() < this.#until) this.#watch()
          else this.#lose(`it was not renewed within ${LEASE_MS / 1000} s`)
        })
      },
      Math.max(0, this.#until - performance.now()),
    )
  }

  #lose(why: string): void {
    if (this.#ended.signal.aborted) return
    this.#end()
    this.#lost.abort(new LeaseLostError(`the lease ${this.name} is lost: ${why}`))
  }
}
