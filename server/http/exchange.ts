import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TracedSpan } from '../tracing/index.ts'
import { requestIdOf } from './request-id.ts'

/** What is told about a request when it has been answered. */
export interface Answered {
  readonly requestId: string
  /** What was asked for, of few values: `graphql`, `healthz`, or a plugin's `GET /weather/:id.png`. */
  readonly route: string
  /** Whose route it is. */
  readonly plugin: string
  readonly method: string
  /** 0 if the client was gone before there was an answer. */
  readonly status: number
  readonly seconds: number
  /** Of GraphQL: the operation's name, as far as it got. */
  readonly operation: string | undefined
  /** Of GraphQL: `ok`, or the code of the first error. */
  readonly outcome: string | undefined
}

/** One request and its answer: named, measured, and told about once. */
export class Exchange implements Answered {
  readonly requestId: string
  readonly method: string
  readonly #startedAt = performance.now()
  readonly #onAnswered: (answered: Answered) => void
  #over = false
  route = 'none'
  plugin = 'core'
  operation: string | undefined
  outcome: string | undefined
  /** The request's span, if it is traced. */
  span: TracedSpan | undefined
  status = 0
  seconds = 0

  constructor({ headers, method }: IncomingMessage, onAnswered: (answered: Answered) => void) {
    this.requestId = requestIdOf(headers['x-request-id'])
    this.method = method ?? 'GET'
    this.#onAnswered = onAnswered
  }

  /** Says that the answer is written, or given up. Only the first call counts. */
  answered({ statusCode, headersSent }: ServerResponse): void {
    if (this.#over) return
    this.#over = true
    this.status = headersSent ? statusCode : 0
    this.seconds = (performance.now() - this.#startedAt) / 1000
    this.#onAnswered(this)
  }
}
