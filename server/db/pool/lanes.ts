import { pause } from '../../pause.ts'
import type { DatabaseOptions, Sql } from '../../plugin/sql.ts'
import { ConnectionError } from './connection-error.ts'
import { Lane } from './lane.ts'

/** A connection that is older is not used again: the server keeps what it prepared for each. */
const LIFETIME_MS = 45 * 60_000
const FIRST_BACKOFF_MS = 20
const MAX_BACKOFF_MS = 1_000

export interface LanesOptions {
  readonly database: DatabaseOptions
  readonly maker: Sql
  /** Connections at most. */
  readonly max: number
  /** Milliseconds until an unused connection is ended; never if absent. */
  readonly idleMs?: number
  readonly connectMs: number
  /** Called whenever one of the connections has ended. */
  readonly onClose?: () => void
}

type Start = (lane: Lane) => void
type Refuse = (error: Error) => void

/**
 * The connections of a pool: each is used by one at a time, opened when there is none to use, and after failures after a
 * pause that grows, in which its first user waits.
 */
export class Lanes {
  readonly #options: LanesOptions
  readonly #all = new Set<Lane>()
  /** Ended, with a socket that is not closed yet. */
  readonly #closing = new Set<Lane>()
  /** The one used last is used next. */
  readonly #idle = new Map<Lane, NodeJS.Timeout | undefined>()
  readonly #waiting = new Map<Start, Refuse>()
  readonly #over = Promise.withResolvers<void>()
  #opening = 0
  #failures = 0
  #failedAt = Number.NEGATIVE_INFINITY
  #ended: Error | undefined

  constructor(options: LanesOptions) {
    this.#options = options
  }

  /**
   * Calls `start` with a connection of one's own, now or later; it must be given back.
   * @param refuse called instead if the pool is closed
   */
  take(start: Start, refuse: Refuse): void {
    if (this.#ended !== undefined) return refuse(this.#ended)
    const lane = [...this.#idle.keys()].at(-1)
    if (lane !== undefined) {
      clearTimeout(this.#idle.get(lane))
      this.#idle.delete(lane)
      return start(lane)
    }
    this.#waiting.set(start, refuse)
    this.#openForWaiting()
  }

  /** The same by a promise. @throws ConnectionError if the pool is closed */
  lane(): Promise<Lane> {
    return new Promise((resolve, reject) => this.take(resolve, reject))
  }

  /** Gives a connection back that nothing uses any more. */
  give(lane: Lane): void {
    if (lane.error !== undefined) return
    if (performance.now() - lane.openedAt > LIFETIME_MS) lane.end()
    else if (!this.#startNext(lane)) {
      if (this.#ended !== undefined) lane.end()
      else this.#rest(lane)
    }
  }

  /** Lets what runs and waits come to its end, then ends all connections. */
  async end(): Promise<void> {
    this.#ended ??= new ConnectionError('CONNECTION_ENDED', 'the connections to the database were closed')
    for (const lane of [...this.#idle.keys()]) lane.end()
    this.#checkOver()
    await this.#over.promise
  }

  /** Ends all connections at once; what runs and waits fails. */
  destroy(): void {
    const error = new ConnectionError('CONNECTION_DESTROYED', 'the connections to the database were closed under it')
    this.#ended ??= error
    const refused = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const refuse of refused) refuse(error)
    for (const lane of [...this.#all]) lane.destroy(error)
    this.#checkOver()
  }

  #startNext(lane: Lane): boolean {
    const [next] = this.#waiting
    if (next === undefined) return false
    this.#waiting.delete(next[0])
    next[0](lane)
    return true
  }

  #rest(lane: Lane): void {
    const { idleMs } = this.#options
    this.#idle.set(lane, idleMs === undefined ? undefined : setTimeout(() => lane.end(), idleMs))
  }

  /** Opens as many as are waited for, as long as there may be more. */
  #openForWaiting(): void {
    const { max } = this.#options
    while (this.#opening < this.#waiting.size && this.#all.size + this.#opening < max) {
      this.#opening++
      const wait = this.#backoff()
      if (wait > 0) void pause(wait).then(() => this.#open())
      else this.#open()
    }
  }

  #open(): void {
    this.#opening--
    // Another has come back meanwhile.
    if (this.#waiting.size === 0) return
    const { database, maker, connectMs } = this.#options
    const lane = new Lane({
      database,
      maker,
      connectMs,
      onGreeted: () => {
        this.#failures = 0
      },
      onClosed: (closed) => this.#closed(closed),
    })
    this.#all.add(lane)
    this.#startNext(lane)
  }

  #closed(lane: Lane): void {
    clearTimeout(this.#idle.get(lane))
    this.#idle.delete(lane)
    this.#all.delete(lane)
    this.#closing.add(lane)
    void lane.closed.then(() => {
      this.#closing.delete(lane)
      this.#checkOver()
    })
    if (!lane.isGreeted) {
      this.#failures++
      this.#failedAt = performance.now()
    }
    this.#options.onClose?.()
    this.#openForWaiting()
  }

  #backoff(): number {
    if (this.#failures === 0) return 0
    const delay = Math.min(FIRST_BACKOFF_MS * 2 ** this.#failures, MAX_BACKOFF_MS)
    return Math.max(0, this.#failedAt + delay - performance.now())
  }

  #checkOver(): void {
    if (this.#ended === undefined) return
    if (this.#all.size + this.#closing.size + this.#waiting.size === 0) this.#over.resolve()
  }
}
