import { pause } from '../../../server/plugin.ts'
import { LedgerNotStartedError } from '../ledger-handle.ts'

const POLL_MS = 20

/** Waits for the root chain to grow, as this node knows it. One timer serves all who wait. */
export class RootWait {
  readonly #rootHeight: () => number
  #next: Promise<void> | undefined

  /** @param rootHeight height of the last durable root block; may throw LedgerNotStartedError */
  constructor(rootHeight: () => number) {
    this.#rootHeight = rootHeight
  }

  /** As it is now; -1 while the ledger is starting. */
  get height(): number {
    try {
      return this.#rootHeight()
    } catch (error) {
      if (error instanceof LedgerNotStartedError) return -1
      throw error
    }
  }

  /** Resolves when the root chain is beyond a height, or the signal aborts. */
  async beyond(height: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.height <= height) {
      this.#next ??= pause(POLL_MS).then(() => {
        this.#next = undefined
      })
      await this.#next
    }
  }
}
