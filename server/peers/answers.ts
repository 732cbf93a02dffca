import { apart } from '../db/work.ts'

/** What answers a call or a stream on this node. */
export type Answer =
  | { readonly kind: 'call'; answer(input: unknown, signal: AbortSignal): unknown }
  | { readonly kind: 'stream'; answer(input: unknown, signal: AbortSignal): AsyncIterable<unknown> }

/** This node leads no more: what was asked may be half done. */
export class GoneError extends Error {
  override readonly name = 'GoneError'
  readonly code = 'GONE'
}

/** Of a caller who never gives up. */
const NEVER = new AbortController().signal

/** Answers of one kind, for as long as this node leads. */
export class Served {
  readonly #answer: Answer
  /** What is being answered, and how it ends: listeners on the long-lived signal would pile up. */
  readonly #open = new Set<(error: GoneError) => void>()
  #isOver = false

  constructor(answer: Answer, signal: AbortSignal) {
    this.#answer = answer
    signal.addEventListener('abort', () => this.#end(), { once: true })
  }

  /**
   * The answer; rejects with a GoneError as soon as this node leads no more, and with the signal's reason when that
   * aborts. An answer that heeds neither is not waited for.
   */
  call(input: unknown, signal: AbortSignal = NEVER): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { answer } = this.#expect('call')
      if (signal.aborted) return reject(signal.reason)
      const abort = (): void => finish(() => reject(signal.reason))
      const gone = (error: GoneError): void => finish(() => reject(error))
      const finish = (settle: () => void): void => {
        this.#open.delete(gone)
        if (signal !== NEVER) signal.removeEventListener('abort', abort)
        settle()
      }
      this.#open.add(gone)
      if (signal !== NEVER) signal.addEventListener('abort', abort, { once: true })
      // What a leader gathers from several callers must not end with one of them: only its signal tells it to stop.
      apart(() => Promise.try(() => answer(input, signal))).then(
        (output) => finish(() => resolve(output)),
        (error: unknown) => finish(() => reject(error)),
      )
    })
  }

  /** The items; throws a GoneError when this node leads no more. */
  async *stream(input: unknown, controller: AbortController): AsyncGenerator<unknown, void> {
    const { answer } = this.#expect('stream')
    const open = (): void => controller.abort()
    this.#open.add(open)
    try {
      for await (const item of apart(() => answer(input, controller.signal))) {
        if (controller.signal.aborted) break
        yield item
      }
    } catch (error) {
      if (!this.#isOver) throw error
    } finally {
      this.#open.delete(open)
    }
    if (this.#isOver) throw goneError()
  }

  #expect<K extends Answer['kind']>(kind: K): Extract<Answer, { kind: K }> {
    if (this.#isOver) throw goneError()
    if (isOf(this.#answer, kind)) return this.#answer
    throw new TypeError(`this is a ${this.#answer.kind}, not a ${kind}`)
  }

  #end(): void {
    this.#isOver = true
    for (const gone of [...this.#open]) gone(goneError())
  }
}

const goneError = (): GoneError => new GoneError('this node leads no more')

const isOf = <K extends Answer['kind']>(answer: Answer, kind: K): answer is Extract<Answer, { kind: K }> =>
  answer.kind === kind

/** What this node answers now, by method: `<plugin>/<job>/<name>`. */
export class Answers {
  readonly #served = new Map<string, Served>()
  readonly #waiting = new Map<string, Set<() => void>>()

  /** Answers until the signal aborts. */
  serve(method: string, signal: AbortSignal, answer: Answer): void {
    if (signal.aborted) return
    const served = new Served(answer, signal)
    this.#served.set(method, served)
    signal.addEventListener(
      'abort',
      () => {
        if (this.#served.get(method) === served) this.#served.delete(method)
      },
      { once: true },
    )
    for (const wake of [...(this.#waiting.get(method) ?? [])]) wake()
  }

  find(method: string): Served | undefined {
    return this.#served.get(method)
  }

  /** Calls back whenever the method begins to be served; returns how to end that. */
  onServe(method: string, wake: () => void): () => void {
    const waiting = this.#waiting.get(method) ?? new Set()
    this.#waiting.set(method, waiting)
    waiting.add(wake)
    return () => {
      waiting.delete(wake)
      if (waiting.size === 0 && this.#waiting.get(method) === waiting) this.#waiting.delete(method)
    }
  }

  /** The answer, as soon as there is one; undefined after so many milliseconds. */
  async soon(method: string, ms: number, signal: AbortSignal): Promise<Served | undefined> {
    const found = this.find(method)
    if (found !== undefined || signal.aborted) return found
    const woken = Promise.withResolvers<void>()
    const end = this.onServe(method, woken.resolve)
    const timer = setTimeout(woken.resolve, ms)
    signal.addEventListener('abort', () => woken.resolve(), { once: true })
    await woken.promise
    clearTimeout(timer)
    end()
    return this.find(method)
  }
}
