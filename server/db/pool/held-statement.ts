import { finished, Readable, Writable } from 'node:stream'
import type { RawStatement } from './raw-statement.ts'

/** A statement that a connection is busy with. */
export interface HeldStatement {
  /** Ends it with an error, for good, however it is read. */
  fail(error: Error): void
}

/**
 * Watches a statement until its connection is free of it.
 * @param over called once, before the one who waits hears of the answer; with the error if it is one
 */
export function hold(statement: RawStatement, over: (error?: unknown) => void): HeldStatement {
  if (statement.cursorFn !== undefined) return new HeldCursor(statement, over)
  const { resolve, reject } = statement
  const release = (error?: unknown): void => {
    statement.resolve = resolve
    statement.reject = reject
    over(error)
  }
  let stream: Readable | Writable | undefined
  statement.resolve = (answer) => {
    if (statement.streaming === true && isStream(answer)) {
      stream = answer
      finished(answer, (error) => release(error ?? undefined))
    } else release()
    resolve(answer)
  }
  statement.reject = (error) => {
    release(error)
    reject(error)
  }
  return {
    fail(error) {
      if (stream === undefined) statement.reject(error)
      else stream.destroy(error)
    },
  }
}

const isStream = (value: unknown): value is Readable | Writable =>
  value instanceof Readable || value instanceof Writable

/**
 * A cursor is given new functions to settle it with each piece that is asked for. When its connection ends between two
 * pieces, postgres.js takes it for read to the end: the next question must be told of the error.
 */
class HeldCursor implements HeldStatement {
  readonly #statement: RawStatement
  readonly #over: (error?: unknown) => void
  #reject: RawStatement['reject']
  #error: Error | undefined
  #isOver = false

  constructor(statement: RawStatement, over: (error?: unknown) => void) {
    this.#statement = statement
    this.#over = over
    this.#reject = statement.reject
    let { resolve } = statement
    Object.defineProperty(statement, 'resolve', {
      get: () => (answer: unknown) => {
        this.#end()
        resolve(answer)
      },
      set: (next: RawStatement['resolve']) => {
        resolve = next
      },
    })
    Object.defineProperty(statement, 'reject', {
      get: () => (error: unknown) => {
        this.#end(error)
        this.#reject(error)
      },
      set: (next: RawStatement['reject']) => {
        this.#reject = next
        if (this.#error !== undefined) this.#fail(this.#error)
      },
    })
  }

  fail(error: Error): void {
    this.#error = error
    this.#end(error)
    this.#fail(error)
  }

  #fail(error: Error): void {
    this.#reject(error)
    // Otherwise it counts as read to its end.
    this.#statement.active = true
  }

  #end(error?: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#over(error)
  }
}
