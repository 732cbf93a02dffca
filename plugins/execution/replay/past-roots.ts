import type { RootHeader } from '../../../protocol/index.ts'

/** What blocks may know of a root block that was checked. */
export interface PastRoot {
  /** 32 bytes. */
  readonly random: Uint8Array
  /** Milliseconds since 1970. */
  readonly time: number
}

const RANDOM_BYTES = 32

/** What shards go by of the root blocks that were checked: 40 bytes each. */
export class PastRoots {
  #first: number | undefined
  #count = 0
  #randoms = new Uint8Array(RANDOM_BYTES * 1024)
  #times = new Float64Array(1024)

  /** Adds a root block: any one first, then each behind the one before. */
  add({ height, random, time }: Pick<RootHeader, 'height' | 'random' | 'time'>): void {
    this.#first ??= height
    const at = height - this.#first
    this.#count = at + 1
    if (at >= this.#times.length) {
      const randoms = new Uint8Array(2 * this.#randoms.length)
      randoms.set(this.#randoms)
      this.#randoms = randoms
      const times = new Float64Array(2 * this.#times.length)
      times.set(this.#times)
      this.#times = times
    }
    this.#randoms.set(random, RANDOM_BYTES * at)
    this.#times[at] = time
  }

  /** @throws RangeError if this height was not added */
  at(height: number): PastRoot {
    const at = height - (this.#first ?? height)
    const time = at < this.#count ? this.#times[at] : undefined
    if (time === undefined) throw new RangeError(`root block ${height} was not checked`)
    return { random: this.#randoms.slice(RANDOM_BYTES * at, RANDOM_BYTES * (at + 1)), time }
  }
}
