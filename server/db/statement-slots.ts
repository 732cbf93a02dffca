import { apiError } from '../../schema/index.ts'

export interface SlotOptions {
  /** Statements at a time: as many as the pool has connections, so that each has one to itself. */
  readonly slots: number
  /** How many of them are for work that may be given up, like requests: the node itself always finds one. */
  readonly forWork: number
  /** How much of that work may wait before the next is refused. */
  readonly maxWaiting: number
}

type Start = () => void

/** Whose turn it is to use a pool. What waits here can be taken back, which it could not inside the pool. */
export class StatementSlots {
  readonly #options: SlotOptions
  readonly #ownWaiting = new Set<Start>()
  readonly #workWaiting = new Set<Start>()
  #busy = 0
  #busyForWork = 0

  constructor(options: SlotOptions) {
    this.#options = options
  }

  /** Statements that run now. */
  get busy(): number {
    return this.#busy
  }

  /** Statements that wait for their turn. */
  get waiting(): number {
    return this.#ownWaiting.size + this.#workWaiting.size
  }

  /**
   * Calls `start` when there is a slot: now, or later. Whoever was started calls `release` at its end.
   * @throws GraphQLError OVERLOADED if too much work waits
   */
  take(start: Start, isWork: boolean): void {
    const waiting = isWork ? this.#workWaiting : this.#ownWaiting
    if (waiting.size === 0 && this.#isFree(isWork)) return this.#begin(start, isWork)
    if (isWork && waiting.size >= this.#options.maxWaiting)
      throw apiError('OVERLOADED', 'Too many requests wait for the database. Try again in some seconds.')
    waiting.add(start)
  }

  isWaiting(start: Start): boolean {
    return this.#workWaiting.has(start) || this.#ownWaiting.has(start)
  }

  /** Takes back what waits. False if it was started. */
  leave(start: Start): boolean {
    return this.#workWaiting.delete(start) || this.#ownWaiting.delete(start)
  }

  release(isWork: boolean): void {
    this.#busy--
    if (isWork) this.#busyForWork--
    if (this.#next(this.#ownWaiting, false)) return
    this.#next(this.#workWaiting, true)
  }

  #next(waiting: Set<Start>, isWork: boolean): boolean {
    const [start] = waiting
    if (start === undefined || !this.#isFree(isWork)) return false
    waiting.delete(start)
    this.#begin(start, isWork)
    return true
  }

  #isFree(isWork: boolean): boolean {
    return this.#busy < this.#options.slots && (!isWork || this.#busyForWork < this.#options.forWork)
  }

  #begin(start: Start, isWork: boolean): void {
    this.#busy++
    if (isWork) this.#busyForWork++
    start()
  }
}
