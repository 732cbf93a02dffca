import type { IncomingMessage, ServerResponse } from 'node:http'
import type { GraphqlEndpoint } from '../graphql/endpoint.ts'
import { wantsPage } from '../graphql/graphiql.ts'
import type { Health } from '../plugin.ts'
import { answerRoute, type RouteParts } from './answer-route.ts'
import type { Exchange } from './exchange.ts'
import { HttpError } from './http-error.ts'
import { allowOrigin, answerPreflight, isAllowedOrigin } from './origins.ts'
import { answerAlive, answerReady } from './probes.ts'
import type { RouteTable } from './route-table.ts'

/** What requests are led to. */
export interface Destinations extends RouteParts {
  readonly graphql: GraphqlEndpoint
  readonly routes: RouteTable
  readonly ready: (() => Promise<Health> | Health) | undefined
  readonly sendMetrics: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  readonly isDraining: () => boolean
  /** Other origins whose pages may use the API, or `*`. */
  readonly origins: readonly string[]
}

/** Answers a request, or rejects with HttpError. */
export type Router = (request: IncomingMessage, response: ServerResponse, exchange: Exchange) => Promise<void>

/** Leads requests to where they belong: GraphQL, what the server itself tells, and what plugins serve. */
export function makeRouter(to: Destinations): Router {
  const { graphql, routes, origins } = to
  return async (request, response, exchange) => {
    if (to.isDraining()) response.setHeader('connection', 'close')
    const path = request.url?.split('?')[0] ?? ''
    if (path === '/graphql') {
      exchange.route = 'graphql'
      allowOrigin(request, response, origins)
      return request.method === 'OPTIONS' ? answerPreflight(response) : graphql.answer(request, response, exchange)
    }
    response.setHeader('x-request-id', exchange.requestId)
    response.once('close', () => exchange.answered(response))
    switch (path) {
      case '/healthz':
        exchange.route = 'healthz'
        return answerAlive(response, to.isDraining())
      case '/readyz':
        exchange.route = 'readyz'
        return answerReady(response, to.isDraining(), to.ready)
      case '/metrics':
        exchange.route = 'metrics'
        return to.sendMetrics(request, response)
    }
    const { method = 'GET' } = request
    const found = routes.find(method, path)
    if (found !== undefined) {
      allowOrigin(request, response, origins)
      if (found.kind === 'other-methods') return refuseMethod(response, method, found.methods)
      if (method !== 'GET' && method !== 'HEAD' && !isAllowedOrigin(request, origins))
        throw new HttpError(403, 'FORBIDDEN_ORIGIN', 'Pages of this origin may not use the API.')
      return answerRoute(found, request, response, exchange, to)
    }
    if (path === '/' && wantsPage(request)) {
      exchange.route = 'page'
      response.writeHead(302, { location: '/graphql' }).end()
      return
    }
    throw new HttpError(404, 'NOT_FOUND', 'There is nothing here. GraphQL is at /graphql.')
  }
}

/** Tells which methods there are: to a browser that asks first, or to a client that used another. */
function refuseMethod(response: ServerResponse, method: string, methods: readonly string[]): void {
  if (method === 'OPTIONS') return answerPreflight(response, methods)
  response.setHeader('allow', methods.join(', '))
  throw new HttpError(405, 'METHOD_NOT_ALLOWED', `Use ${methods.join(' or ')}.`)
}
