/** One client has no more than this part of what all share. */
const PART = 8

/** Whom something is counted for; nobody for this machine's own programs, which are its owner's. */
export type Holders = readonly string[]

export const NOBODY: Holders = []

/**
 * Something that there is a bounded amount of, like bytes or connections. One holder gets an eighth of it at most, so
 * that no address, and no key, can take it all.
 */
export class Share {
  /** How much there is. */
  readonly most: number
  /** How much of it each holder gets at most. */
  readonly each: number
  readonly #held = new Map<string, number>()
  #all = 0

  constructor(most: number) {
    this.most = most
    this.each = Math.ceil(most / PART)
  }

  /** How much is taken. */
  get taken(): number {
    return this.#all
  }

  /** Takes some for its holders. False, and nothing is taken, if there is no more for all or for one of them. */
  take(holders: Holders, amount = 1): boolean {
    if (this.#all + amount > this.most) return false
    for (const holder of holders) if ((this.#held.get(holder) ?? 0) + amount > this.each) return false
    this.#all += amount
    for (const holder of holders) this.#held.set(holder, (this.#held.get(holder) ?? 0) + amount)
    return true
  }

  /** Gives back what was taken for the same holders. */
  give(holders: Holders, amount = 1): void {
    this.#all -= amount
    for (const holder of holders) {
      const left = (this.#held.get(holder) ?? 0) - amount
      if (left > 0) this.#held.set(holder, left)
      else this.#held.delete(holder)
    }
  }
}

/** What one connection or request has taken of a share; it can change, and is given back once. */
export class Held {
  readonly #share: Share
  readonly #holders: Holders
  #amount = 0

  constructor(share: Share, holders: Holders) {
    this.#share = share
    this.#holders = holders
  }

  /** Has so much from now on. False, and it has what it had, if there is no more. */
  set(amount: number): boolean {
    const more = amount - this.#amount
    if (more > 0 && !this.#share.take(this.#holders, more)) return false
    if (more < 0) this.#share.give(this.#holders, -more)
    this.#amount = amount
    return true
  }
}
