/** As many leading bits of a path as shards may have in their prefix: whatever they split into is known apart. */
const BITS = 16

/**
 * What the cells of a shard are worth (balances and deposits, in the smallest unit), by the first bits of their paths:
 * so that a shard knows what each of its halves holds, without reading its cells when it is split.
 */
export class Holdings {
  readonly #worth: bigint[]

  /** @param prefixBits of the shard @param worth what `halves` gave of the shard that this one was split off from */
  constructor(prefixBits: number, worth?: readonly bigint[]) {
    this.#worth = worth === undefined ? new Array<bigint>(2 ** Math.max(0, BITS - prefixBits)).fill(0n) : [...worth]
  }

  get total(): bigint {
    return sum(this.#worth)
  }

  /** A cell at this path is worth so much more, or less. */
  add(path: Uint8Array, more: bigint): void {
    if (more === 0n) return
    const at = ((path[0]! << 8) | path[1]!) & (this.#worth.length - 1)
    this.#worth[at]! += more
  }

  /** The holdings of both halves. @throws RangeError if the prefix has all its bits already */
  halves(): readonly [readonly bigint[], readonly bigint[]] {
    const middle = this.#worth.length / 2
    if (middle < 1) throw new RangeError(`a shard with a prefix of ${BITS} bits is never split`)
    return [this.#worth.slice(0, middle), this.#worth.slice(middle)]
  }
}

/** What such holdings come to. */
export const sum = (worth: readonly bigint[]): bigint => worth.reduce((total, one) => total + one, 0n)
