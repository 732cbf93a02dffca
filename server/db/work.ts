import { AsyncLocalStorage } from 'node:async_hooks'

/** Something that may be given up, like a request: what the database does for it ends then. */
export interface Work {
  readonly aborted: boolean
  /** Names it in logs. */
  readonly requestId?: string
  /** SQL statements that were begun for it so far. */
  statements: number
  /** Calls `cancel` once if it is given up, unless `forget` was called before. */
  remember(cancel: () => void): void
  forget(cancel: () => void): void
}

const current = new AsyncLocalStorage<Work>()

/** The work that the running code is for, across awaits and timers; undefined for what the node does by itself. */
export const currentWork = (): Work | undefined => current.getStore()

/** Runs something for a piece of work: all that it begins counts as its own. */
export const within = <T>(work: Work, run: () => T): T => current.run(work, run)

/**
 * Runs something that others need too, like what several requests gather, or keep for those that come later: whoever
 * happened to begin it may be given up, and it goes on.
 */
export const apart = <T>(run: () => T): T => current.exit(run)

/** Work that is given up by a signal. */
export class SignalledWork implements Work {
  statements = 0
  readonly #signal: AbortSignal
  readonly #cancels = new Set<() => void>()

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', () => this.#cancel(), { once: true })
  }

  get aborted(): boolean {
    return this.#signal.aborted
  }

  remember(cancel: () => void): void {
    this.#cancels.add(cancel)
  }

  forget(cancel: () => void): void {
    this.#cancels.delete(cancel)
  }

  #cancel(): void {
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
  }
}
