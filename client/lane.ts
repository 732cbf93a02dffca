/**
 * How many transactions of a lane may be on their way at once: nodes let 64 beyond the last included one wait.
 */
export const MAX_ON_THE_WAY = 60

/**
 * Hands out the nonces of one lane of one account without asking the server each time, so that transactions can be
 * sent without waiting for the one before. A nonce that came back unused is handed out next, since those behind it
 * cannot be included before it is used.
 */
export class Lane {
  readonly #read: () => Promise<number>
  #next: number | undefined
  #reading: Promise<number> | undefined
  /** Came back unused, lowest first. */
  #unused: number[] = []
  #onTheWay = 0
  #queue: (() => void)[] = []

  /** @param read asks the server for the next nonce of the lane */
  constructor(read: () => Promise<number>) {
    this.#read = read
  }

  /**
   * The nonce to sign with. Waits while too many are on their way: call `done`, `giveBack` or `passOver` for each.
   * @throws the signal's reason
   */
  async take(signal?: AbortSignal): Promise<number> {
    while (this.#onTheWay >= MAX_ON_THE_WAY) await this.#turn(signal)
    this.#onTheWay++
    try {
      if (this.#next === undefined) await this.#learn()
    } catch (error) {
      this.done()
      throw error
    }
    const unused = this.#unused.shift()
    if (unused !== undefined) return unused
    const nonce = this.#next ?? 0
    this.#next = nonce + 1
    return nonce
  }

  /** The nonce that was taken is used, or its transaction waits no longer: another may go. */
  done(): void {
    this.#onTheWay--
    this.#queue.shift()?.()
  }

  /** The nonce that was taken was not used. */
  giveBack(nonce: number): void {
    this.#unused.push(nonce)
    this.#unused.sort((a, b) => a - b)
    while (this.#unused.length > 0 && this.#unused.at(-1) === (this.#next ?? 0) - 1) this.#next = this.#unused.pop()
    this.done()
  }

  /** The nonce that was taken is used by somebody else: asks again which is next. */
  async passOver(): Promise<void> {
    try {
      await this.#learn()
    } finally {
      this.done()
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    return new Promise((resolve, reject) => {
      const go = () => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        this.#queue = this.#queue.filter((waiting) => waiting !== go)
        reject(signal?.reason)
      }
      this.#queue.push(go)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  async #learn(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    const known = await this.#reading
    this.#next = Math.max(this.#next ?? 0, known)
    this.#unused = this.#unused.filter((nonce) => nonce >= known)
  }
}
