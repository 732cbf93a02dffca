import type { PoolEntry } from './pool-entry.ts'

/** The place of those that come before the line. */
const FRONT = -1
const COMPACT_AT = 4096

/**
 * The ready transactions of a pool: first come, first served, and what a block had no room for before all others. An
 * entry leaves by its state: places that it had in the line before do not count.
 */
export class ReadyLine {
  /** Put back since the last were handed out: they come first of all. */
  #back: PoolEntry[] = []
  #front: PoolEntry[] = []
  #line: PoolEntry[] = []
  #from = 0
  /** The place of the first in the array. */
  #base = 0

  /** Puts a ready entry at the end. */
  push(entry: PoolEntry): void {
    entry.place = this.#base + this.#line.length
    this.#line.push(entry)
  }

  /** Puts a ready entry before the line, behind those put back just before it. */
  putBack(entry: PoolEntry): void {
    entry.place = FRONT
    this.#back.push(entry)
  }

  /** All that are in it, in order. */
  entries(): PoolEntry[] {
    const line = this.#line.slice(this.#from).filter((entry, i) => isAt(entry, this.#base + this.#from + i))
    const front = [...this.#back, ...this.#front].filter((entry) => isAt(entry, FRONT))
    return [...new Set(front), ...line]
  }

  /** Hands out one after the other, until there is none or `take`, which changes their states, wants no more. */
  drain(take: (entry: PoolEntry) => boolean): void {
    const front = this.#back.length === 0 ? this.#front : [...this.#back, ...this.#front]
    this.#back = []
    const stopped = front.findIndex((entry) => isAt(entry, FRONT) && !take(entry))
    this.#front = stopped === -1 ? [] : front.slice(stopped)
    if (stopped !== -1) return
    for (; this.#from < this.#line.length; this.#from++) {
      const entry = this.#line[this.#from]!
      if (isAt(entry, this.#base + this.#from) && !take(entry)) break
    }
    if (this.#from > COMPACT_AT && 2 * this.#from > this.#line.length) {
      this.#line = this.#line.slice(this.#from)
      this.#base += this.#from
      this.#from = 0
    }
  }
}

const isAt = (entry: PoolEntry, place: number): boolean => entry.state === 'ready' && entry.place === place
