import type { ExecutionResult, GraphQLError } from 'graphql'

export interface StreamOptions {
  readonly source: AsyncIterable<ExecutionResult>
  /** Turns what the source threw into what the client may know. */
  readonly explain: (error: unknown) => GraphQLError
  /** Applied to each result. */
  readonly finish: (result: ExecutionResult) => ExecutionResult
  /** Called once, when it has ended in whatever way. */
  readonly onEnd: () => void
}

type Result = IteratorResult<ExecutionResult, undefined>
const DONE: Result = { done: true, value: undefined }

/**
 * A subscription's results. It never throws: an error, a slow reader or a shutdown is a last result with a code, so
 * that every transport delivers it, and then the stream is done.
 */
export class ResultStream implements AsyncIterableIterator<ExecutionResult, undefined> {
  readonly #options: StreamOptions
  readonly #source: AsyncIterator<ExecutionResult>
  #state: 'open' | 'ending' | 'done' = 'open'
  #last: ExecutionResult | undefined
  #interrupt: ((result: Result) => void) | undefined

  constructor(options: StreamOptions) {
    this.#options = options
    this.#source = options.source[Symbol.asyncIterator]()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<Result> {
    if (this.#state === 'ending') return this.#giveLast()
    if (this.#state === 'done') return DONE
    const { promise: interrupted, resolve } = Promise.withResolvers<Result>()
    this.#interrupt = resolve
    const result = await Promise.race([this.#fromSource(), interrupted])
    this.#interrupt = undefined
    return result
  }

  async return(): Promise<Result> {
    this.#close()
    this.#interrupt?.(DONE)
    return DONE
  }

  async throw(): Promise<Result> {
    return this.return()
  }

  /** Ends it from outside with a last result that tells why; at once if someone waits, else when they next ask. */
  end(error: GraphQLError): void {
    if (this.#state !== 'open') return
    this.#last = { data: null, errors: [error] }
    this.#state = 'ending'
    if (this.#interrupt !== undefined) this.#interrupt(this.#giveLast())
  }

  async #fromSource(): Promise<Result> {
    try {
      const result = await this.#source.next()
      if (this.#state !== 'open') return DONE
      if (result.done !== true) return { done: false, value: this.#options.finish(result.value) }
      this.#close()
      return DONE
    } catch (error) {
      if (this.#state !== 'open') return DONE
      this.#close()
      return { done: false, value: { data: null, errors: [this.#options.explain(error)] } }
    }
  }

  #giveLast(): Result {
    const value = this.#last ?? { data: null }
    this.#close()
    return { done: false, value }
  }

  #close(): void {
    if (this.#state === 'done') return
    this.#state = 'done'
    this.#options.onEnd()
    // A generator that waits for something takes a `return` only when that comes; its signal has been aborted.
    Promise.resolve(this.#source.return?.()).catch(this.#options.explain)
  }
}
