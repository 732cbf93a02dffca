import type { ServerResponse } from 'node:http'
import { HttpError, sendError } from '../http/http-error.ts'
import type { RequestContext } from './request-context.ts'

/** The requests that are being answered: each is bounded in time, and told when its client has gone. */
export class Requests {
  readonly #open = new Map<RequestContext, ServerResponse>()
  readonly #timeoutMs: number
  readonly #sweep: NodeJS.Timeout
  #idle: (() => void) | undefined

  constructor(timeoutSeconds: number) {
    this.#timeoutMs = timeoutSeconds * 1000
    // One timer for all: a timer each would cost as much as a small query.
    this.#sweep = setInterval(() => this.#expire(), Math.min(1000, this.#timeoutMs / 4))
    this.#sweep.unref()
  }

  get size(): number {
    return this.#open.size
  }

  /** Notes a request until its response is finished or its client is gone. */
  add(context: RequestContext, response: ServerResponse): void {
    this.#open.set(context, response)
    response.once('close', () => {
      this.#open.delete(context)
      if (!response.writableFinished) context.abort('the client is gone')
      context.exchange?.answered(response)
      if (this.#open.size === 0) this.#idle?.()
    })
  }

  /** A stream stays open for as long as it is read. */
  isStream(context: RequestContext): void {
    this.#open.delete(context)
    if (this.#open.size === 0) this.#idle?.()
  }

  /** Resolves when all are answered, or the time is up; then the rest is aborted. */
  async drain(ms: number): Promise<void> {
    if (this.#open.size > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#idle = resolve
      })
      const late = Promise.withResolvers<void>()
      const timer = setTimeout(late.resolve, ms)
      await Promise.race([idle, late.promise])
      clearTimeout(timer)
    }
    for (const [context, response] of this.#open) {
      context.abort('the node is shutting down')
      sendError(response, new HttpError(503, 'DRAINING', 'The node is shutting down. Try again.'))
    }
    clearInterval(this.#sweep)
  }

  #expire(): void {
    const before = Date.now() - this.#timeoutMs
    for (const [context, response] of this.#open) {
      // In order of arrival: the rest is younger.
      if (context.startedAt > before) return
      const seconds = this.#timeoutMs / 1000
      context.abort(`it took longer than ${seconds} s`)
      sendError(
        response,
        new HttpError(504, 'TIMEOUT', `The request took longer than ${seconds} s. Ask for less at a time.`),
      )
    }
  }
}
