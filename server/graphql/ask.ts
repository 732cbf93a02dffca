import type { IncomingMessage } from 'node:http'
import type { GraphQLError } from 'graphql'
import { apiError, type Principal } from '../../schema/index.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Bodies } from './body.ts'
import type { Operation } from './documents.ts'
import type { Engine, GraphqlParams } from './engine.ts'
import { parseParams, searchParams } from './params.ts'
import { RequestContext } from './request-context.ts'
import { USAGE_HEADER, wantsUsage } from './usage.ts'

/** What an HTTP request asks for, read and checked: the same for both ways of answering it. */
export interface Asked {
  readonly params: GraphqlParams
  /** What is to run, or why nothing is. */
  readonly operation: Operation | readonly GraphQLError[]
}

/** Reads what an HTTP request asks for. @throws HttpError for what is not a GraphQL request */
export async function readAsked(engine: Engine, bodies: Bodies, request: IncomingMessage): Promise<Asked> {
  return request.method === 'GET' ? askedByGet(engine, request) : askedByPost(engine, await bodies.read(request))
}

/** JSON in a body. @throws HttpError */
export function askedByPost(engine: Engine, body: string): Asked {
  const params = parseParams(body)
  return { params, operation: engine.resolve(params) }
}

/** The search of a URL, for what may be asked again and again. @throws HttpError */
export function askedByGet(engine: Engine, { url = '' }: IncomingMessage): Asked {
  const params = searchParams(url)
  const operation = engine.resolve(params)
  const isMutation = 'node' in operation && operation.node.operation === 'mutation'
  return { params, operation: isMutation ? [mutationByGet()] : operation }
}

/** The context of an HTTP request's operation. */
export function contextOf(
  { params }: Asked,
  principal: Principal,
  exchange: Exchange,
  { headers }: IncomingMessage,
): RequestContext {
  const context = new RequestContext(params.extensions ?? {}, principal, exchange)
  if (wantsUsage(headers[USAGE_HEADER])) context.wantsUsage = true
  return context
}

const mutationByGet = () => apiError('METHOD_NOT_ALLOWED', 'A mutation by GET could be repeated by anybody: use POST.')

/**
 * The HTTP status of a request that nothing was run for. What concerns the document is told with 200, as clients expect
 * of `application/json`; what concerns the request itself is an HTTP error.
 */
export function statusOf(errors: readonly GraphQLError[]): number {
  for (const { extensions } of errors) {
    if (extensions.code === 'OPERATION_RESOLUTION_FAILURE' || extensions.code === 'BAD_REQUEST') return 400
    if (extensions.code === 'METHOD_NOT_ALLOWED') return 405
  }
  return 200
}
