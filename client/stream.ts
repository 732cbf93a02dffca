import { ClientError } from './errors.ts'

/** How many results wait to be read before a subscription is given up. */
export const MAX_WAITING = 10_000

/** What is pushed in by a connection and pulled out by a reader: a bounded queue that can end or fail. */
export class Stream<T> implements AsyncIterableIterator<T, undefined> {
  readonly #queue: T[] = []
  readonly #stop: () => void
  /** Called once, when its reader has taken all that waited. */
  onEmpty: (() => void) | undefined
  #readers: { resolve(result: IteratorResult<T, undefined>): void; reject(error: unknown): void }[] = []
  #end: { readonly error?: unknown } | undefined

  /** @param stop ends whatever pushes; called once, when the reader leaves or is too slow */
  constructor(stop: () => void) {
    this.#stop = stop
  }

  /** How many results wait to be read. */
  get waiting(): number {
    return this.#queue.length
  }

  push(value: T): void {
    if (this.#end !== undefined) return
    const reader = this.#readers.shift()
    if (reader !== undefined) reader.resolve({ value, done: false })
    else if (this.#queue.length < MAX_WAITING) this.#queue.push(value)
    else {
      this.fail(
        new ClientError('SLOW_CONSUMER', `${MAX_WAITING} results wait: read faster, and resume by the last cursor`),
      )
      this.#stop()
    }
  }

  /** Nothing more comes. What waits can still be read. */
  end(): void {
    this.#finish({})
  }

  /** Nothing more comes. What waits can still be read; then this is thrown. */
  fail(error: unknown): void {
    this.#finish({ error })
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const value = this.#queue.shift()
    if (value !== undefined) {
      if (this.#queue.length === 0) this.#tellEmpty()
      return Promise.resolve({ value, done: false })
    }
    const end = this.#end
    if (end !== undefined) {
      // The error is thrown once; whoever asks again has left.
      this.#end = {}
      return 'error' in end ? Promise.reject(end.error) : Promise.resolve({ value: undefined, done: true })
    }
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject })
    })
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#queue.length = 0
    if (this.#end === undefined) {
      this.end()
      this.#stop()
    }
    this.#end = {}
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #tellEmpty(): void {
    const { onEmpty } = this
    this.onEmpty = undefined
    onEmpty?.()
  }

  #finish(end: { readonly error?: unknown }): void {
    if (this.#end !== undefined) return
    this.#end = end
    const readers = this.#readers
    this.#readers = []
    for (const [index, reader] of readers.entries()) {
      if (index === 0 && 'error' in end) {
        this.#end = {}
        reader.reject(end.error)
      } else reader.resolve({ value: undefined, done: true })
    }
  }
}
