import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ExecutionResult, GraphQLError } from 'graphql'
import { apiError } from '../../schema/index.ts'
import type { Exchange } from '../http/exchange.ts'
import { HttpError, sendError, sendJson } from '../http/http-error.ts'
import { contextOf, readAsked, statusOf } from './ask.ts'
import { type Authenticate, credentialsOf, httpStatusOf } from './authenticate.ts'
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

/**
 * Answers a plain request without the layers that general HTTP needs: body, document cache, compiled operation, one
 * write. What it answers equals what the general path answers.
 */
export async function answerPlain(
  engine: Engine,
  requests: Requests,
  bodies: Bodies,
  authenticate: Authenticate,
  request: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange,
): Promise<void> {
  const { requestId } = exchange
  const send = (status: number, answer: ExecutionResult): void => {
    exchange.outcome = outcomeOf(answer)
    sendJson(response, status, JSON.stringify(answer), requestId)
  }
  try {
    const known = authenticate(credentialsOf(request))
    // Waited for only where it is not at hand: most keys are remembered.
    const principal = known instanceof Promise ? await known : known
    const asked = await readAsked(engine, bodies, request)
    const { operation, params } = asked
    if (!('node' in operation)) return send(statusOf(operation), { errors: operation })
    exchange.operation = operation.name ?? operation.node.operation
    if (operation.node.operation === 'subscription') {
      const error = apiError(
        'SUBSCRIPTION_NEEDS_STREAM',
        'A subscription is a stream: use a WebSocket (graphql-transport-ws), or accept text/event-stream.',
      )
      return send(406, { errors: [error] })
    }
    const context = contextOf(asked, principal, exchange, request)
    requests.add(context, response)
    send(200, await engine.run(operation, params.variables, context))
  } catch (error) {
    if (error instanceof GraphQLError) return send(httpStatusOf(error), { errors: [error] })
    if (!(error instanceof HttpError)) throw error
    exchange.outcome = error.code
    response.setHeader('x-request-id', requestId)
    sendError(response, error)
  } finally {
    exchange.answered(response)
  }
}
