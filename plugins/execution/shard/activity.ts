import type { Mempool } from './mempool.ts'
import type { ShardReport } from './messages.ts'

/** Milliseconds between two reports. */
export const REPORT_MS = 500

/** Tells now and then what a shard is doing, and at once when it cannot go on or can again. */
export class Activity {
  readonly #report: (report: ShardReport) => void
  readonly #mempool: Mempool
  #busyMs = 0
  #reportedAt = 0
  #isStalled = false

  constructor(report: (report: ShardReport) => void, mempool: Mempool) {
    this.#report = report
    this.#mempool = mempool
  }

  /** The database does not take blocks. */
  get isStalled(): boolean {
    return this.#isStalled
  }

  /** So many milliseconds went into making a block. */
  worked(ms: number): void {
    this.#busyMs += ms
  }

  /** The database is away: blocks wait. */
  stall(error: unknown): void {
    if (this.#isStalled) return
    this.#isStalled = true
    const fields = { error: String(error) }
    this.#report({ type: 'warning', message: 'the database does not take blocks; trying again', fields })
    this.report(true)
  }

  /** It takes them again. */
  resume(): void {
    if (!this.#isStalled) return
    this.#isStalled = false
    this.report(true)
  }

  /** Reports if it is time, or anyhow. */
  report(now = false): void {
    const at = performance.now()
    const since = at - this.#reportedAt
    if (!now && since < REPORT_MS) return
    this.#report({
      type: 'state',
      status: this.#isStalled ? 'STALLED' : 'RUNNING',
      load: Math.min(1, this.#busyMs / Math.max(since, 1)),
      mempool: { size: this.#mempool.size, bytes: this.#mempool.bytes },
    })
    this.#reportedAt = at
    this.#busyMs = 0
  }
}
