import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ExecutionResult, GraphQLError } from 'graphql'
import { apiError, type Principal } from '../../schema/index.ts'
import type { Exchange } from '../http/exchange.ts'
import { HttpError, sendError, sendJson } from '../http/http-error.ts'
import { type Asked, askedByGet, askedByPost, contextOf, statusOf } from './ask.ts'
import { type Authenticate, credentialsOf, httpStatusOf, retryAfterOf } from './authenticate.ts'
import type { Bodies } from './body.ts'
import type { Engine } from './engine.ts'
import { outcomeOf } from './outcome.ts'
import type { Requests } from './requests.ts'

/** Whether the request is a plain one: JSON in, one JSON document out. */
export function isPlain({ headers }: IncomingMessage): boolean {
  if (headers['content-encoding'] !== undefined) return false
  const { accept = '*/*' } = headers
  return (
    accept === '*/*' ||
    accept === 'application/json' ||
    (accept.includes('application/json') &&
      !accept.includes('text/event-stream') &&
      !accept.includes('application/graphql-response+json'))
  )
}

/** What answering takes. */
export interface PlainParts {
  readonly engine: Engine
  readonly requests: Requests
  readonly bodies: Bodies
  readonly authenticate: Authenticate
}

/**
 * Answers a plain request without the layers that general HTTP needs: body, document cache, compiled operation, one
 * write, and no promise in between where nothing has to be waited for. What it answers equals what the general path
 * answers.
 */
export function answerPlain(
  parts: PlainParts,
  request: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange,
): Promise<void> {
  return new Promise((resolve, reject) => {
    new PlainAnswer(parts, request, response, exchange, resolve, reject).begin()
  })
}

class PlainAnswer {
  readonly #parts: PlainParts
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #exchange: Exchange
  readonly #resolve: () => void
  readonly #reject: (error: unknown) => void

  constructor(
    parts: PlainParts,
    request: IncomingMessage,
    response: ServerResponse,
    exchange: Exchange,
    resolve: () => void,
    reject: (error: unknown) => void,
  ) {
    this.#parts = parts
    this.#request = request
    this.#response = response
    this.#exchange = exchange
    this.#resolve = resolve
    this.#reject = reject
  }

  begin(): void {
    try {
      const known = this.#parts.authenticate(credentialsOf(this.#request))
      // Waited for only where it is not at hand: most keys are remembered.
      if (known instanceof Promise) known.then((principal) => this.#read(principal)).catch(this.#fail)
      else this.#read(known)
    } catch (error) {
      this.#fail(error)
    }
  }

  #read(principal: Principal): void {
    const { engine, bodies } = this.#parts
    if (this.#request.method === 'GET') this.#answer(principal, askedByGet(engine, this.#request))
    else bodies.receive(this.#request, (text) => this.#take(principal, text), this.#fail)
  }

  #take(principal: Principal, text: string): void {
    try {
      this.#answer(principal, askedByPost(this.#parts.engine, text))
    } catch (error) {
      this.#fail(error)
    }
  }

  #answer(principal: Principal, asked: Asked): void {
    const { engine, requests } = this.#parts
    const { operation, params } = asked
    if (!('node' in operation)) return this.#send(statusOf(operation), { errors: operation })
    this.#exchange.operation = operation.name ?? operation.node.operation
    if (operation.node.operation === 'subscription') return this.#send(406, { errors: [needsStream()] })
    const context = contextOf(asked, principal, this.#exchange, this.#request)
    const result = engine.answer(operation, params.variables, context)
    if (!('then' in result)) return this.#send(200, result)
    // From here on it can be late, or left alone.
    requests.add(context, this.#response)
    result.then((later) => this.#send(200, later)).catch(this.#fail)
  }

  #send(status: number, answer: ExecutionResult): void {
    this.#exchange.outcome = outcomeOf(answer)
    sendJson(this.#response, status, JSON.stringify(answer), this.#exchange.requestId)
    this.#end()
  }

  readonly #fail = (error: unknown): void => {
    if (error instanceof GraphQLError) {
      const retryAfter = retryAfterOf(error)
      if (retryAfter !== undefined) this.#response.setHeader('retry-after', retryAfter)
      return this.#send(httpStatusOf(error), { errors: [error] })
    }
    if (!(error instanceof HttpError)) return this.#reject(error)
    this.#exchange.outcome = error.code
    if (!this.#response.headersSent) this.#response.setHeader('x-request-id', this.#exchange.requestId)
    sendError(this.#response, error)
    this.#end()
  }

  #end(): void {
    this.#exchange.answered(this.#response)
    this.#resolve()
  }
}

const needsStream = () =>
  apiError(
    'SUBSCRIPTION_NEEDS_STREAM',
    'A subscription is a stream: use a WebSocket (graphql-transport-ws), or accept text/event-stream.',
  )
