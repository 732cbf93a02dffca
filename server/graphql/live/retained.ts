/** What all broadcasts together may keep for readers who are behind. */
const MAX_BYTES = 128 << 20

/** The bytes that all broadcasts of a node keep in memory. */
export class Retained {
  readonly #most: number
  bytes = 0

  constructor(most = MAX_BYTES) {
    this.#most = most
  }

  /** Whether every broadcast should keep less. */
  get isTooMuch(): boolean {
    return this.bytes > this.#most
  }
}
