import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { GraphQLError, type GraphQLSchema } from 'graphql'
import { ANONYMOUS } from '../../schema/index.ts'
import type { Exchange } from '../http/exchange.ts'
import { HttpError, sendJson } from '../http/http-error.ts'
import { isAllowedOrigin } from '../http/origins.ts'
import type { Log } from '../plugin.ts'
import type { Tracing } from '../tracing/index.ts'
import { readAsked } from './ask.ts'
import {
  type Authenticate,
  type ClientOf,
  type Credentials,
  credentialsOf,
  httpStatusOf,
  identify,
  retryAfterOf,
} from './authenticate.ts'
import { Bodies } from './body.ts'
import { type BeforeRequest, Engine } from './engine.ts'
import { sendGraphiql, wantsPage } from './graphiql.ts'
import { answerPlain, isPlain } from './hot-path.ts'
import type { Limits } from './limits.ts'
import type { EventPosition } from './live/index.ts'
import type { OperationMeter } from './operation-meter.ts'
import type { Requests } from './requests.ts'
import { type Holders, NOBODY, Share } from './share.ts'
import { type TrustedDocuments, warnOfMisfits } from './trusted-documents.ts'
import { serveWebSockets } from './web-socket.ts'
import { makeYoga, refusedFor } from './yoga.ts'

export interface GraphqlEndpointOptions {
  readonly schema: GraphQLSchema
  readonly log: Log
  readonly limits: Limits
  /** Other origins whose pages may use the API, or `*`. */
  readonly origins: readonly string[]
  /** Tells who a client is. */
  readonly authenticate: Authenticate
  /** Whom a client's part of what all share is counted for; nobody if absent. */
  readonly clientOf?: ClientOf | undefined
  /** Run before each query and mutation. */
  readonly before?: readonly BeforeRequest[] | undefined
  /** The stream that subscriptions are resumed in; it drains with them. */
  readonly events?: EventPosition | undefined
  /** Whether plain requests take the short way; they do if absent. For tests that compare the two. */
  readonly hotPath?: boolean | undefined
  /** Told about each operation. */
  readonly meter?: OperationMeter | undefined
  /** Where traces of operations go. */
  readonly tracing?: Tracing | undefined
  /** Documents that the operator vouches for. */
  readonly trusted?: TrustedDocuments | undefined
}

/** How much of everything there is now. */
export interface GraphqlLoad {
  /** Queries and mutations that are being answered. */
  readonly running: number
  readonly subscriptions: number
  /** Executions behind the subscriptions: identical ones share one. */
  readonly sources: number
  /** Bytes of results that wait for subscribers who are behind. */
  readonly retainedBytes: number
  readonly webSockets: number
}

/** GraphQL at /graphql of an HTTP server: by HTTP, WebSocket and server-sent events. */
export interface GraphqlEndpoint {
  /** Answers one request. Rejects with HttpError if it is not GraphQL. */
  answer(request: IncomingMessage, response: ServerResponse, exchange: Exchange): Promise<void>
  /**
   * Ends subscriptions with DRAINING and where to resume, and takes no new connections. Resolves when clients were sent
   * that.
   */
  drain(): Promise<void>
  /** Ends the subscriptions and WebSockets of an access that was revoked. */
  endStreams(access: string): void
  /** What it is busy with now. */
  load(): GraphqlLoad
  /** Closes all WebSockets, after their streams have ended. */
  close(): Promise<void>
}

/** @param requests where each query and mutation is noted while it is answered */
export function serveGraphql(server: Server, requests: Requests, options: GraphqlEndpointOptions): GraphqlEndpoint {
  const {
    schema,
    log,
    limits,
    origins,
    authenticate,
    clientOf = () => undefined,
    before,
    events,
    trusted,
    hotPath = true,
    meter,
    tracing,
  } = options
  const engine = new Engine({
    schema,
    limits,
    log,
    ...(before === undefined ? {} : { before }),
    ...(events === undefined ? {} : { events }),
    ...(trusted === undefined ? {} : { trusted }),
    meter,
    tracing,
  })
  if (trusted !== undefined) warnOfMisfits(trusted, engine.documents, log)
  const holdersOf = (credentials: Credentials): Holders => {
    const client = clientOf(credentials)
    return client === undefined ? NOBODY : [client]
  }
  const bytes = new Share(limits.bodiesBytes)
  const bodies = new Bodies(limits.bodyBytes, bytes, holdersOf)
  const plain = { engine, requests, bodies, authenticate }
  const yoga = makeYoga(engine, requests, log)
  let draining = false
  const webSockets = serveWebSockets(
    server,
    engine,
    limits,
    log,
    authenticate,
    (request) => !draining && isAllowedOrigin(request, origins),
    { bytes, holdersOf },
  )
  return {
    async answer(request, response, exchange) {
      const { method, headers } = request
      if (wantsPage(request)) {
        response.once('close', () => exchange.answered(response))
        // It is for everybody, and large: it counts as what a stranger asks.
        const refusal = await identify(authenticate, { ...credentialsOf(request), authorization: undefined })
        return refusal instanceof GraphQLError ? sendRefusal(response, refusal) : sendGraphiql(request, response)
      }
      if (method === 'POST') {
        // Another type could be sent by any page without asking first.
        if (!isJson(headers['content-type']))
          throw new HttpError(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send application/json.')
        if (!isAllowedOrigin(request, origins))
          throw new HttpError(403, 'FORBIDDEN_ORIGIN', 'Pages of this origin may not use the API.')
      } else if (method !== 'GET') throw new HttpError(405, 'METHOD_NOT_ALLOWED', 'Use POST, or GET for queries.')
      if (hotPath && isPlain(request)) return answerPlain(plain, request, response, exchange)
      // As on the short way, nothing is read for those who are not let in.
      const credentials = credentialsOf(request)
      const known = await identify(authenticate, credentials)
      const isKnown = !(known instanceof GraphQLError)
      const asked = isKnown ? await readAsked(engine, bodies, request) : refusedFor(known)
      response.setHeader('x-request-id', exchange.requestId)
      response.once('close', () => exchange.answered(response))
      const principal = isKnown ? known : ANONYMOUS
      await yoga(request, response, { exchange, principal, holders: holdersOf(credentials), asked })
    },
    drain() {
      draining = true
      return engine.drain()
    },
    endStreams: (access) => engine.endStreams(access),
    load: () => ({
      running: engine.running,
      subscriptions: engine.live.size,
      sources: engine.live.sources,
      retainedBytes: engine.live.retainedBytes,
      webSockets: webSockets.open,
    }),
    close: () => webSockets.close(),
  }
}

function sendRefusal(response: ServerResponse, error: GraphQLError): void {
  const retryAfter = retryAfterOf(error)
  if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter)
  sendJson(response, httpStatusOf(error), JSON.stringify({ errors: [error] }))
}

const isJson = (type: string | undefined): boolean => type !== undefined && /^application\/json\s*(;|$)/i.test(type)
