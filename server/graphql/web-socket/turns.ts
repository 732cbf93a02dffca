import { Scratch } from './scratch.ts'

/** A write at most; also what may wait in a socket before its subscriptions wait too. */
export const WRITE_BYTES = 64 << 10
/** Milliseconds of writing before other work has a turn. */
const TURN_MS = 10

/** Somebody who has something to write. */
export interface Writer {
  write(scratch: Scratch): void
}

/**
 * Lets sockets write at the end of each turn of the event loop. Whatever comes for a socket within one turn leaves in
 * one write: one event at a time when there is little to do, many together under load.
 */
export class Turns {
  readonly #scratch = new Scratch(WRITE_BYTES)
  #due: Writer[] = []
  #isScheduled = false

  /** The writer is called soon; it must see to it that it asks once. */
  ask(writer: Writer): void {
    this.#due.push(writer)
    this.#schedule()
  }

  /** Lets one write at once. */
  writeNow(writer: Writer): void {
    writer.write(this.#scratch)
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#isScheduled = false
    const due = this.#due
    this.#due = []
    const end = performance.now() + TURN_MS
    for (let next = 0; next < due.length; next++) {
      due[next]?.write(this.#scratch)
      if (next % 32 === 31 && performance.now() > end) {
        this.#due = [...due.slice(next + 1), ...this.#due]
        break
      }
    }
    if (this.#due.length > 0) this.#schedule()
  }
}
