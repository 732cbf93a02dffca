import { apart, pause, type Sql } from '../../../server/plugin.ts'
import { type RootBlockRow, rootBlockPage } from '../query/root-blocks.ts'
import type { RootWait } from './root-wait.ts'

const PAGE = 100
const RETRY_MS = 50
/** Root blocks that are kept for those who follow. */
const KEPT = 256

/** Root blocks as they become durable. However many follow, each is read once. */
export class RootFeed {
  readonly #sql: () => Sql
  readonly #roots: RootWait
  readonly #recent = new Map<number, RootBlockRow>()
  readonly #reads = new Map<number, Promise<readonly RootBlockRow[]>>()

  constructor(sql: () => Sql, roots: RootWait) {
    this.#sql = sql
    this.#roots = roots
  }

  /** Root blocks above a height, in order, without a gap, until the signal aborts. */
  async *follow(after: number, signal: AbortSignal): AsyncGenerator<RootBlockRow, void> {
    let last = after
    while (!signal.aborted) {
      await this.#roots.beyond(last, signal)
      if (signal.aborted) return
      const rows = await this.#from(last + 1)
      for (const row of rows) {
        yield row
        last = row.height
      }
      // What the leader has told of is durable, but perhaps not yet where this node reads.
      if (rows.length === 0) await pause(RETRY_MS, signal)
    }
  }

  async #from(height: number): Promise<readonly RootBlockRow[]> {
    const known = this.#recent.get(height)
    if (known !== undefined) return [known]
    const reading = this.#reads.get(height) ?? apart(() => this.#read(height))
    this.#reads.set(height, reading)
    try {
      return await reading
    } finally {
      this.#reads.delete(height)
    }
  }

  async #read(height: number): Promise<readonly RootBlockRow[]> {
    const page = { limit: PAGE, after: [height - 1], before: undefined, reverse: false } as const
    const rows = await rootBlockPage(this.#sql(), page)
    for (const row of rows) this.#recent.set(row.height, row)
    for (const oldest of this.#recent.keys()) {
      if (this.#recent.size <= KEPT) break
      this.#recent.delete(oldest)
    }
    return rows
  }
}
