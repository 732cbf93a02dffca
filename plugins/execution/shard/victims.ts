import type { PoolEntry } from './pool-entry.ts'

/** It waits for another transaction, or for coins, which may never come: that costs its sender nothing. */
const isStuck = ({ state }: PoolEntry): boolean => state === 'waiting' || state === 'parked' || state === 'behind'

/**
 * True if an entry of a full pool gives its place to another one. What may go into a block comes before all that is
 * stuck, whatever that offers: else whoever promises a high fee and never pays it could keep everybody out. Among equals
 * the higher `maxFee` counts.
 * @param mayGo the other one does not wait for an earlier nonce
 */
export function givesWay(victim: PoolEntry, to: PoolEntry, mayGo: boolean): boolean {
  if (isStuck(victim) === mayGo) return mayGo
  return victim.transaction.maxFee < to.transaction.maxFee
}

/** Finds what leaves a full pool first: what is stuck, then the lowest `maxFee`. */
export class Victims {
  readonly #most: number
  /** Found by the last pass, first to leave last. */
  #found: PoolEntry[] = []
  #areStuck = false

  /** `most`: that one pass finds. */
  constructor(most: number) {
    this.#most = most
  }

  /** The next one; the same again as long as it stays in the pool. `entries`: all of the pool. */
  next(entries: Iterable<PoolEntry>): PoolEntry | undefined {
    for (let victim = this.#found.at(-1); victim !== undefined; victim = this.#found.at(-1)) {
      const isGone = victim.state === 'taken' || victim.state === 'dropped'
      if (!isGone && (!this.#areStuck || isStuck(victim))) return victim
      this.#found.pop()
    }
    const candidates = [...entries].filter(({ state }) => state !== 'taken')
    const stuck = candidates.filter(isStuck)
    this.#areStuck = stuck.length > 0
    const lowest = this.#areStuck ? stuck : candidates
    lowest.sort((a, b) => Number(b.transaction.maxFee - a.transaction.maxFee))
    this.#found = lowest.slice(-this.#most)
    return this.#found.at(-1)
  }
}
