import type { ExecutionResult } from 'graphql'
import type { Reader } from './reader.ts'

type Result = IteratorResult<ExecutionResult, undefined>
const DONE: Result = { done: true, value: undefined }

/** A subscription's results one by one, for transports that ask for each. It never throws. */
export class ResultStream implements AsyncIterableIterator<ExecutionResult, undefined> {
  readonly #reader: Reader
  #wake: (() => void) | undefined

  constructor(reader: Reader) {
    this.#reader = reader
    reader.onReady = () => this.#wake?.()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<Result> {
    for (;;) {
      const message = this.#reader.take()
      if (message !== undefined) return { done: false, value: message.result }
      if (this.#reader.isDone) return DONE
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async return(): Promise<Result> {
    this.#reader.close()
    this.#wake?.()
    return DONE
  }

  async throw(): Promise<Result> {
    return this.return()
  }
}
