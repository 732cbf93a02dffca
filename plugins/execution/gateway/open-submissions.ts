import { SubmissionError } from './errors.ts'

/** A submission is answered as it stands after so long. */
export const ANSWER_MS = 10_000
/** Transactions that may be on their way to an answer, and their bytes. */
const MAX_OPEN = 50_000
const MAX_OPEN_BYTES = 256 * 1024 * 1024
/** Who has waited so long is answered as it stands if others would find no place. */
const PATIENCE_MS = 1_000

/** A submission on its way to an answer. */
export class OpenSubmission {
  readonly count: number
  readonly bytes: number
  /** As `performance.now()` says. */
  readonly since: number
  #end: (() => void) | undefined
  #isHurried = false

  constructor(wires: readonly Uint8Array[]) {
    this.count = wires.length
    this.bytes = wires.reduce((sum, wire) => sum + wire.length, 0)
    this.since = performance.now()
  }

  /** It is to be answered as it stands. */
  get isHurried(): boolean {
    return this.#isHurried
  }

  /** `end` ends the present waiting: it is called at most once, and not if `isHurried` is true already. */
  onHurry(end: () => void): void {
    this.#end = end
  }

  /** Its time is over, or nobody waits for it any more. */
  readonly hurry = (): void => {
    if (this.#isHurried) return
    this.#isHurried = true
    this.#end?.()
  }
}

/**
 * The submissions on their way to an answer: bounded, and each for a bounded time. One timer serves all, and none has an
 * abort signal of its own: those cost half of all that a submission of one transaction took here.
 */
export class OpenSubmissions {
  /** Oldest first. */
  readonly #waiting = new Set<OpenSubmission>()
  #count = 0
  #bytes = 0
  #timer: NodeJS.Timeout | undefined

  /** What never gets into a block, and costs nothing, must not keep others out. @throws SubmissionError OVERLOADED */
  enter(own: OpenSubmission): void {
    const isFull = (): boolean => this.#count + own.count > MAX_OPEN || this.#bytes + own.bytes > MAX_OPEN_BYTES
    for (const oldest of this.#waiting) {
      if (!isFull() || own.since - oldest.since < PATIENCE_MS) break
      this.leave(oldest)
      oldest.hurry()
    }
    if (isFull())
      throw new SubmissionError('OVERLOADED', 'too many transactions are on their way: try again in a second')
    this.#waiting.add(own)
    this.#count += own.count
    this.#bytes += own.bytes
    this.#timer ??= setTimeout(this.#expire, ANSWER_MS)
  }

  /** It was answered. */
  leave(own: OpenSubmission): void {
    if (!this.#waiting.delete(own)) return
    this.#count -= own.count
    this.#bytes -= own.bytes
    if (this.#waiting.size > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Hurries those whose time is over. */
  readonly #expire = (): void => {
    this.#timer = undefined
    const now = performance.now()
    for (const oldest of this.#waiting) {
      const left = oldest.since + ANSWER_MS - now
      // All have the same time: the rest is younger.
      if (left > 0) {
        this.#timer = setTimeout(this.#expire, Math.ceil(left))
        return
      }
      this.leave(oldest)
      oldest.hurry()
    }
  }
}
