import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { GraphQLSchema } from 'graphql'
import type { Health, Log } from '../plugin.ts'
import { type Authenticate, everybodyIsAnonymous } from './authenticate.ts'
import { type BeforeRequest, Engine } from './engine.ts'
import { sendGraphiql, wantsPage } from './graphiql.ts'
import { answerPlain, isPlain } from './hot-path.ts'
import { HttpError, sendError, sendJson } from './http-error.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import { allowOrigin, answerPreflight, isAllowedOrigin } from './origins.ts'
import { Requests } from './requests.ts'
import { serveWebSockets } from './web-socket.ts'
import { makeYoga } from './yoga.ts'

const DRAIN_MS = 10_000

export interface GraphqlServerOptions {
  readonly schema: GraphQLSchema
  readonly log: Log
  /** 0 for any free port. */
  readonly port: number
  /** The address to listen on; 127.0.0.1 if absent. */
  readonly hostname?: string
  readonly limits?: Limits
  /** Other origins whose pages may use the API, or `*`; none if absent. */
  readonly origins?: readonly string[]
  /** Answers GET /healthz; healthy if absent. */
  readonly health?: () => Promise<Health> | Health
  /** Tells who a client is; everybody is anonymous if absent. */
  readonly authenticate?: Authenticate
  /** Run before each query and mutation. */
  readonly before?: readonly BeforeRequest[]
  /** Whether plain requests take the short way; they do if absent. For tests that compare the two. */
  readonly hotPath?: boolean
}

export interface GraphqlServer {
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
 * Serves a schema at /graphql by HTTP, WebSocket and server-sent events.
 * @throws the error of `listen`, like EADDRINUSE
 */
export async function createGraphqlServer(options: GraphqlServerOptions): Promise<GraphqlServer> {
  const {
    schema,
    log,
    limits = DEFAULT_LIMITS,
    origins = [],
    hotPath = true,
    authenticate = everybodyIsAnonymous,
  } = options
  const engine = new Engine({
    schema,
    limits,
    log,
    ...(options.before === undefined ? {} : { before: options.before }),
  })
  const requests = new Requests(limits.timeoutSeconds)
  const yoga = makeYoga(engine, requests, limits, authenticate, log)
  let draining = false

  const graphql = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    allowOrigin(request, response, origins)
    const { method, headers } = request
    if (method === 'OPTIONS') return answerPreflight(response)
    if (wantsPage(request)) return sendGraphiql(request, response)
    if (method === 'POST') {
      // Another type could be sent by any page without asking first.
      if (!isJson(headers['content-type'])) throw new HttpError(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send application/json.')
      if (!isAllowedOrigin(request, origins))
        throw new HttpError(403, 'FORBIDDEN_ORIGIN', 'Pages of this origin may not use the API.')
      if (hotPath && isPlain(request)) return answerPlain(engine, requests, limits, authenticate, request, response)
    } else if (method !== 'GET') throw new HttpError(405, 'METHOD_NOT_ALLOWED', 'Use POST, or GET for queries.')
    await yoga(request, response)
  }

  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (draining) response.setHeader('connection', 'close')
    const path = request.url?.split('?')[0]
    if (path === '/graphql') return graphql(request, response)
    if (path === '/healthz') {
      const health = draining
        ? { ok: false, message: 'the node is shutting down' }
        : ((await options.health?.()) ?? { ok: true })
      return sendJson(response, health.ok ? 200 : 503, JSON.stringify(health))
    }
    if (path === '/' && wantsPage(request)) {
      response.writeHead(302, { location: '/graphql' }).end()
      return
    }
    throw new HttpError(404, 'NOT_FOUND', 'There is nothing here. GraphQL is at /graphql.')
  }

  const server = createServer((request, response) => {
    route(request, response).catch((error: unknown) => {
      if (error instanceof HttpError) return sendError(response, error)
      log.error({ error }, 'a request failed outside GraphQL')
      response.destroy()
    })
  })
  server.requestTimeout = limits.timeoutSeconds * 1000
  server.on('clientError', (_error, socket) => socket.destroy())
  const webSockets = serveWebSockets(
    server,
    engine,
    limits,
    log,
    authenticate,
    (request) => !draining && isAllowedOrigin(request, origins),
  )
  const hostname = options.hostname ?? '127.0.0.1'
  const port = await listen(server, options.port, hostname)

  return {
    url: `http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}/graphql`,
    port,
    async close(drainMs = DRAIN_MS) {
      draining = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      engine.drain()
      await requests.drain(drainMs)
      // Streams write their last result in the next turns of the loop.
      await new Promise((resolve) => setTimeout(resolve, 20))
      await webSockets.close()
      server.closeAllConnections()
      await closed
    },
  }
}

const isJson = (type: string | undefined): boolean => type !== undefined && /^application\/json\s*(;|$)/i.test(type)

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
