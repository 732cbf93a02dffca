import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { GraphQLSchema } from 'graphql'
import { type Authenticate, everybodyIsAnonymous } from '../graphql/authenticate.ts'
import { serveGraphql } from '../graphql/endpoint.ts'
import type { BeforeRequest } from '../graphql/engine.ts'
import { wantsPage } from '../graphql/graphiql.ts'
import { DEFAULT_LIMITS, type Limits } from '../graphql/limits.ts'
import type { EventPosition } from '../graphql/live/index.ts'
import { Requests } from '../graphql/requests.ts'
import type { TrustedDocuments } from '../graphql/trusted-documents.ts'
import { MetricsRegistry } from '../metrics/index.ts'
import type { Health, Log } from '../plugin.ts'
import { accessLog } from './access-log.ts'
import { answerRoute } from './answer-route.ts'
import { Exchange } from './exchange.ts'
import { HttpError, sendError } from './http-error.ts'
import { httpMetrics } from './http-metrics.ts'
import { type MetricsAccess, serveMetrics } from './metrics-page.ts'
import { allowOrigin, answerPreflight, isAllowedOrigin } from './origins.ts'
import { answerAlive, answerReady } from './probes.ts'
import { type MountedRoute, RouteTable } from './route-table.ts'
import { refuseClient, socketOptions } from './sockets.ts'

const DRAIN_MS = 10_000

export interface HttpServerOptions {
  readonly schema: GraphQLSchema
  readonly log: Log
  /** 0 for any free port. */
  readonly port: number
  /** The address to listen on; 127.0.0.1 if absent. */
  readonly hostname?: string
  readonly limits?: Limits
  /** Other origins whose pages may use the API, or `*`; none if absent. */
  readonly origins?: readonly string[]
  /** Answers GET /readyz; ready if absent. */
  readonly ready?: () => Promise<Health> | Health
  /** Tells who a client is; everybody is anonymous if absent. */
  readonly authenticate?: Authenticate
  /** Calls back with each access that ends (a key was revoked, a session is over), so that what it has open ends. */
  readonly onAccessEnded?: (listener: (access: string) => void) => () => void
  /** Run before each query and mutation. */
  readonly before?: readonly BeforeRequest[]
  /** The stream that subscriptions are resumed in; it drains with them. */
  readonly events?: EventPosition
  /** What plugins serve beside GraphQL. */
  readonly routes?: readonly MountedRoute[]
  /** What is measured, and served at /metrics. */
  readonly metrics?: MetricsRegistry
  /** Whether there is /metrics, and who may read it. */
  readonly metricsAccess?: MetricsAccess
  /** Documents that the operator vouches for. */
  readonly trusted?: TrustedDocuments
  /** Whether plain requests take the short way; they do if absent. For tests that compare the two. */
  readonly hotPath?: boolean
}

export interface HttpServer {
  /** Like `http://127.0.0.1:4000/graphql`. */
  readonly url: string
  readonly port: number
  /**
   * Ends: takes no new connections, ends subscriptions with DRAINING, finishes what is running within `drainMs`
   * (10 s if absent), then closes every connection.
   */
  close(drainMs?: number): Promise<void>
}

/**
 * The node's network side: GraphQL at /graphql, and around it health, metrics and what plugins serve.
 * @throws the error of `listen`, like EADDRINUSE
 */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { schema, log, limits = DEFAULT_LIMITS, origins = [], authenticate = everybodyIsAnonymous } = options
  const { metrics = new MetricsRegistry(log) } = options
  const requests = new Requests(limits.timeoutSeconds)
  const measure = httpMetrics(metrics)
  const note = accessLog(log)
  const routes = new RouteTable(options.routes ?? [])
  const sendMetrics = serveMetrics(metrics, options.metricsAccess, authenticate)
  let draining = false

  const route = async (request: IncomingMessage, response: ServerResponse, exchange: Exchange): Promise<void> => {
    if (draining) response.setHeader('connection', 'close')
    const path = request.url?.split('?')[0] ?? ''
    if (path === '/graphql') {
      exchange.route = 'graphql'
      allowOrigin(request, response, origins)
      return request.method === 'OPTIONS' ? answerPreflight(response) : graphql.answer(request, response, exchange)
    }
    response.setHeader('x-request-id', exchange.requestId)
    response.once('close', () => exchange.answered(response))
    if (path === '/healthz') {
      exchange.route = 'healthz'
      return answerAlive(response, draining)
    }
    if (path === '/readyz') {
      exchange.route = 'readyz'
      return answerReady(response, draining, options.ready)
    }
    if (path === '/metrics') {
      exchange.route = 'metrics'
      return sendMetrics(request, response)
    }
    const { method = 'GET' } = request
    const found = routes.find(method, path)
    if (found !== undefined) {
      allowOrigin(request, response, origins)
      if (found.kind === 'other-methods') return refuseMethod(response, method, found.methods)
      if (method !== 'GET' && method !== 'HEAD' && !isAllowedOrigin(request, origins))
        throw new HttpError(403, 'FORBIDDEN_ORIGIN', 'Pages of this origin may not use the API.')
      return answerRoute(found, request, response, exchange, { authenticate, requests })
    }
    if (path === '/' && wantsPage(request)) {
      exchange.route = 'page'
      response.writeHead(302, { location: '/graphql' }).end()
      return
    }
    throw new HttpError(404, 'NOT_FOUND', 'There is nothing here. GraphQL is at /graphql.')
  }

  const server = createServer(socketOptions(limits), (request, response) => {
    const exchange = new Exchange(request, (answered) => {
      measure(answered)
      note(answered)
    })
    route(request, response, exchange).catch((error: unknown) => {
      exchange.outcome ??= error instanceof HttpError ? error.code : 'INTERNAL_SERVER_ERROR'
      if (error instanceof HttpError) {
        if (!response.headersSent) response.setHeader('x-request-id', exchange.requestId)
        sendError(response, error)
        return exchange.answered(response)
      }
      log.error({ requestId: exchange.requestId, error }, 'a request failed outside GraphQL')
      response.destroy()
      exchange.answered(response)
    })
  })
  // WebSockets have a bound of their own; there may be as many connections besides.
  server.maxConnections = 2 * limits.connections
  server.maxHeadersCount = 0
  server.on('clientError', refuseClient)
  const graphql = serveGraphql(server, requests, {
    schema,
    log,
    limits,
    origins,
    authenticate,
    before: options.before,
    events: options.events,
    hotPath: options.hotPath,
    trusted: options.trusted,
  })
  const forget = options.onAccessEnded?.((access) => graphql.endStreams(access))
  const hostname = options.hostname ?? '127.0.0.1'
  const port = await listen(server, options.port, hostname)

  return {
    url: `http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}/graphql`,
    port,
    async close(drainMs = DRAIN_MS) {
      draining = true
      forget?.()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const drained = graphql.drain()
      await requests.drain(drainMs)
      await drained
      // Streams over HTTP write their last result in the next turns of the loop.
      await new Promise((resolve) => setTimeout(resolve, 20))
      await graphql.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** Tells which methods there are: to a browser that asks first, or to a client that used another. */
function refuseMethod(response: ServerResponse, method: string, methods: readonly string[]): void {
  if (method === 'OPTIONS') return answerPreflight(response, methods)
  response.setHeader('allow', methods.join(', '))
  throw new HttpError(405, 'METHOD_NOT_ALLOWED', `Use ${methods.join(' or ')}.`)
}

function listen(server: Server, port: number, hostname: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, hostname, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
