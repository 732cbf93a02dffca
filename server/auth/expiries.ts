const MAX_EXPIRIES = 100_000

/** When the access of those who were here ends, so that what they have open can be ended then. */
export class Expiries {
  readonly #ends = new Map<string, number>()
  readonly #onEnded: (access: string) => void

  constructor(onEnded: (access: string) => void) {
    this.#onEnded = onEnded
  }

  /** @param until milliseconds since 1970; the latest counts. Infinity needs no remembering */
  add(access: string, until: number): void {
    if (until === Number.POSITIVE_INFINITY || until <= (this.#ends.get(access) ?? 0)) return
    this.#ends.set(access, until)
    if (this.#ends.size <= MAX_EXPIRIES) return
    const [oldest] = this.#ends.keys()
    // Rather too early than never: whoever it was comes again.
    if (oldest !== undefined) this.#end(oldest)
  }

  /** Ends those whose time is up. */
  sweep(now: number): void {
    for (const [access, until] of this.#ends) if (until <= now) this.#end(access)
  }

  #end(access: string): void {
    this.#ends.delete(access)
    this.#onEnded(access)
  }
}
