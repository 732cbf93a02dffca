/** Repeatable randomness: the same seed gives the same run, as far as the run itself decides. */
export class Random {
  #state: number

  /** @param seed 32 bits */
  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 32 bits (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** An integer from 0 up to, not including, `end`. */
  below(end: number): number {
    return Math.floor((this.next() / 2 ** 32) * end)
  }

  /** An integer from `first` to `last`. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1)
  }

  /** True so often of a hundred times. */
  percent(times: number): boolean {
    return this.below(100) < times
  }

  /** @throws RangeError if the list is empty */
  pick<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)]
    if (found === undefined) throw new RangeError('there is nothing to pick from')
    return found
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.next() & 255)
  }

  /** Randomness for a part of its own, so that what others draw at the same time does not change it. */
  fork(): Random {
    return new Random(this.next())
  }
}

/** A seed that no run had before. */
export const newSeed = (): number => Math.floor(Math.random() * 2 ** 32)
