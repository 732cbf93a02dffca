import { apiError } from '../../schema/index.ts'

/**
 * How many statements of requests a pool runs at a time. The rest waits here, where it can be taken back: a few
 * connections always stay for what the node does by itself.
 */
export class StatementSlots {
  readonly #waiting = new Set<() => void>()
  readonly #maxWaiting: number
  #free: number

  /** @param maxWaiting how many may wait before the next one is refused */
  constructor(slots: number, maxWaiting: number) {
    this.#free = slots
    this.#maxWaiting = maxWaiting
  }

  /**
   * Calls `start` when there is a slot: now, or later. Whoever was started calls `release` at its end.
   * @throws GraphQLError OVERLOADED if too many wait
   */
  take(start: () => void): void {
    if (this.#free > 0) {
      this.#free--
      return start()
    }
    if (this.#waiting.size >= this.#maxWaiting) {
      throw apiError('OVERLOADED', 'Too many requests wait for the database. Try again in some seconds.')
    }
    this.#waiting.add(start)
  }

  isWaiting(start: () => void): boolean {
    return this.#waiting.has(start)
  }

  /** Takes back what waits. False if it was started. */
  leave(start: () => void): boolean {
    return this.#waiting.delete(start)
  }

  release(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#free++
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
