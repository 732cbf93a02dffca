import type { ServerResponse } from 'node:http'
import { HttpError, sendError } from '../http/http-error.ts'
import type { RequestContext } from './request-context.ts'

/** The requests that are being answered: each is bounded in time, and told when its client has gone. */
export class Requests {
  readonly #open = new Map<RequestContext, ServerResponse>()
  readonly #begun = new Map<RequestContext, ServerResponse>()
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
    return this.#open.size + this.#begun.size
  }

  /** Notes a request until its response is finished or its client is gone. */
  add(context: RequestContext, response: ServerResponse): void {
    this.#open.set(context, response)
    response.once('close', () => {
      this.#open.delete(context)
      this.#begun.delete(context)
      if (!response.writableFinished) context.abort('the client is gone')
      context.exchange?.answered(response)
      this.#tellIfIdle()
    })
  }

  /** Its answer has begun: that takes as long as the client reads, and a drain waits for it. */
  isBegun(context: RequestContext): void {
    const response = this.#open.get(context)
    if (response === undefined) return
    this.#open.delete(context)
    this.#begun.set(context, response)
  }

  /** A stream stays open for as long as it is read. */
  isStream(context: RequestContext): void {
    // Hours, among the milliseconds of others, would say nothing.
    if (context.exchange !== undefined) context.exchange.route = 'graphql stream'
    this.#open.delete(context)
    this.#tellIfIdle()
  }

  /** Resolves when all are answered, or the time is up; then the rest is aborted. */
  async drain(ms: number): Promise<void> {
    if (this.size > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#idle = resolve
      })
      const late = Promise.withResolvers<void>()
      const timer = setTimeout(late.resolve, ms)
      await Promise.race([idle, late.promise])
      clearTimeout(timer)
    }
    for (const [context, response] of [...this.#open, ...this.#begun]) {
      context.abort('the node is shutting down')
      sendError(response, new HttpError(503, 'DRAINING', 'The node is shutting down. Try again.'))
    }
    clearInterval(this.#sweep)
  }

  #tellIfIdle(): void {
    if (this.size === 0) this.#idle?.()
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
