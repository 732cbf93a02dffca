/** How many choices of labels one metric keeps apart for one plugin. */
export const MAX_SERIES = 500
/** Characters of a label's value. */
const MAX_VALUE = 128
/** What stands for the values of all labels once there are too many of them. */
const OTHER = 'other'

/** One choice of labels, in the order in which they were declared. */
export interface Labelled<S> {
  readonly values: readonly string[]
  readonly series: S
}

/**
 * The lines of one metric of one plugin. They are bounded: labels are said to take few values, but one that a client
 * can choose would otherwise fill this process and everything that scrapes it.
 */
export class SeriesSet<S> {
  readonly #labels: readonly string[]
  readonly #make: () => S
  readonly #onFull: () => void
  readonly #kept = new Map<string, Labelled<S>>()
  #other: Labelled<S> | undefined

  /** @param onFull called once, when the first line was refused */
  constructor(labels: readonly string[], make: () => S, onFull: () => void) {
    this.#labels = labels
    this.#make = make
    this.#onFull = onFull
    // Without labels there is one line, and it is there from the start: 0 says more than nothing.
    if (labels.length === 0) this.of({})
  }

  /** The line for these labels; the same one each time. */
  of(labels: Readonly<Record<string, string>>): S {
    let key = ''
    for (const label of this.#labels) key += `${labels[label]}\0`
    const known = this.#kept.get(key)
    if (known !== undefined) return known.series
    if (this.#kept.size >= MAX_SERIES) return this.#rest()
    const values = this.#labels.map((label) => String(labels[label] ?? '').slice(0, MAX_VALUE))
    const made = { values, series: this.#make() }
    this.#kept.set(key, made)
    return made.series
  }

  *[Symbol.iterator](): Generator<Labelled<S>> {
    yield* this.#kept.values()
    if (this.#other !== undefined) yield this.#other
  }

  #rest(): S {
    if (this.#other === undefined) {
      this.#other = { values: this.#labels.map(() => OTHER), series: this.#make() }
      this.#onFull()
    }
    return this.#other.series
  }
}
