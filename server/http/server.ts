import { createServer, type Server } from 'node:http'
import type { GraphQLSchema } from 'graphql'
import { type Authenticate, type ClientOf, everybodyIsAnonymous } from '../graphql/authenticate.ts'
import { serveGraphql } from '../graphql/endpoint.ts'
import type { BeforeRequest } from '../graphql/engine.ts'
import { DEFAULT_LIMITS, type Limits } from '../graphql/limits.ts'
import type { EventPosition } from '../graphql/live/index.ts'
import { operationMeter } from '../graphql/operation-meter.ts'
import { Requests } from '../graphql/requests.ts'
import type { TrustedDocuments } from '../graphql/trusted-documents.ts'
import { MetricsRegistry } from '../metrics/index.ts'
import type { Health, Log } from '../plugin.ts'
import type { Tracing } from '../tracing/index.ts'
import { accessLog } from './access-log.ts'
import type { Answered } from './exchange.ts'
import { httpMetrics, measureLoad } from './http-metrics.ts'
import { makeListener } from './listener.ts'
import { type MetricsAccess, serveMetrics } from './metrics-page.ts'
import { type MountedRoute, RouteTable } from './route-table.ts'
import { makeRouter } from './router.ts'
import { refuseClient, socketOptions } from './sockets.ts'
import { letGoUnread } from './unread.ts'

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
  /** Names the client that something is counted for; nobody for this machine's own programs, or if absent. */
  readonly clientOf?: ClientOf
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
  /** Where traces of requests go; nowhere if absent. */
  readonly tracing?: Tracing | undefined
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
  let draining = false
  const server = createServer(socketOptions(limits))
  // WebSockets have a bound of their own; there may be as many connections besides.
  server.maxConnections = 2 * limits.connections
  server.maxHeadersCount = 0
  server.on('clientError', refuseClient)
  letGoUnread(server, limits.answerSeconds)
  const graphql = serveGraphql(server, requests, {
    schema,
    log,
    limits,
    origins,
    authenticate,
    clientOf: options.clientOf,
    before: options.before,
    events: options.events,
    hotPath: options.hotPath,
    trusted: options.trusted,
    meter: operationMeter(metrics),
    tracing: options.tracing,
  })
  measureLoad(metrics, graphql)
  const router = makeRouter({
    graphql,
    routes: new RouteTable(options.routes ?? []),
    ready: options.ready,
    sendMetrics: serveMetrics(metrics, options.metricsAccess, authenticate),
    isDraining: () => draining,
    requests,
    authenticate,
    limits,
    origins,
  })
  const tell = (answered: Answered): void => {
    measure(answered)
    note(answered)
  }
  server.on('request', makeListener(router, log, tell, options.tracing))
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
