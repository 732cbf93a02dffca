import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { GraphQLError } from 'graphql'
import { accessRefusal } from '../../schema/index.ts'
import { codeOf } from '../db/errors.ts'
import { within } from '../db/work.ts'
import { type Authenticate, credentialsOf } from '../graphql/authenticate.ts'
import type { Limits } from '../graphql/limits.ts'
import { publicError } from '../graphql/mask.ts'
import { RequestContext } from '../graphql/request-context.ts'
import type { Requests } from '../graphql/requests.ts'
import { BoundedBody } from './bounded-body.ts'
import type { Exchange } from './exchange.ts'
import { HttpError, sendError, sendJson } from './http-error.ts'
import type { MountedRoute, RouteParams } from './route-table.ts'
import { statusOfCode } from './status.ts'

/** What answering takes. */
export interface RouteParts {
  readonly authenticate: Authenticate
  readonly requests: Requests
  readonly limits: Pick<Limits, 'requests'>
}

/**
 * Lets a plugin answer a request. Whatever it does, the client gets an answer within the request's time: the plugin's
 * own, a coded refusal, or a masked error that names this request in the log.
 */
export async function answerRoute(
  { route, params }: { readonly route: MountedRoute; readonly params: RouteParams },
  request: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange,
  { authenticate, requests, limits }: RouteParts,
): Promise<void> {
  exchange.route = `${route.method} ${route.path}`
  exchange.plugin = route.plugin
  const body = new BoundedBody(request, route.maxBodyBytes)
  try {
    body.refuseDeclared()
    const reason = route.outOfService()
    if (reason !== undefined) throw new HttpError(503, 'PLUGIN_FAILED', reason)
    if (requests.size >= limits.requests)
      throw new HttpError(503, 'OVERLOADED', 'The node answers as many requests as it can. Try again in some seconds.')
    const principal = await authenticate(credentialsOf(request))
    if (route.scope !== undefined && !principal.can(route.scope)) throw accessRefusal(principal, route.scope)
    const context = new RequestContext({}, principal, exchange)
    requests.add(context, response)
    const asked = webRequest(request, body, context.signal)
    const { requestId } = exchange
    // The handler's SQL ends with the request, as a resolver's does.
    const answer = checked(await within(context, () => route.handle({ request: asked, params, principal, requestId })))
    requests.isBegun(context)
    // The time was up, or the client is gone.
    if (isOver(response)) return void (await answer.body?.cancel())
    await send(answer, request, response)
  } catch (error) {
    refuse(body.tooLarge ?? error, route, response, exchange)
  }
}

/** Authors may write plain JavaScript. */
function checked(answer: unknown): Response {
  if (answer instanceof Response) return answer
  throw new TypeError(`its handler gave ${answer === null ? 'null' : typeof answer} instead of a Response`)
}

function webRequest(request: IncomingMessage, body: BoundedBody, signal: AbortSignal): Request {
  const { method = 'GET', headers, url = '/' } = request
  const stream = body.stream()
  const made = new Headers()
  for (const [name, value] of Object.entries(headers))
    for (const one of Array.isArray(value) ? value : [value ?? '']) made.append(name, one)
  return new Request(new URL(url, `http://${headers.host ?? 'localhost'}`), {
    method,
    headers: made,
    signal,
    ...(stream === undefined ? {} : { body: stream, duplex: 'half' as const }),
  })
}

async function send(answer: Response, request: IncomingMessage, response: ServerResponse): Promise<void> {
  for (const [name, value] of answer.headers) if (name !== 'set-cookie') response.setHeader(name, value)
  const cookies = answer.headers.getSetCookie()
  if (cookies.length > 0) response.setHeader('set-cookie', cookies)
  if (!answer.headers.has('x-content-type-options')) response.setHeader('x-content-type-options', 'nosniff')
  // What the plugin has not read of the body stands in the way of the connection's next request.
  if (!request.complete) response.setHeader('connection', 'close')
  response.statusCode = answer.status
  if (answer.body === null || request.method === 'HEAD') {
    await answer.body?.cancel()
    response.end()
    return
  }
  await pipeline(chunksOf(answer.body, response), response)
}

async function* chunksOf(stream: ReadableStream<Uint8Array>, response: ServerResponse): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  const leave = Promise.withResolvers<void>()
  response.once('close', leave.resolve)
  try {
    for (;;) {
      // A stream that is silent when its client leaves would else be waited for.
      const read = await Promise.race([reader.read(), leave.promise])
      if (read === undefined || read.done) return
      yield read.value
    }
  } finally {
    // Of a stream that has ended this does nothing; one whose client has gone makes no more.
    await reader.cancel()
  }
}

/** Whether nobody waits for an answer any more: there is one, or the client has gone. */
const isOver = (response: ServerResponse): boolean => response.headersSent || response.destroyed

/** What work throws that was told to end. */
const isAbort = (error: unknown): boolean =>
  codeOf(error) === 'ERR_STREAM_PREMATURE_CLOSE' || (error instanceof Error && error.name === 'AbortError')

function refuse(error: unknown, route: MountedRoute, response: ServerResponse, exchange: Exchange): void {
  if (isOver(response) && isAbort(error)) return
  if (error instanceof HttpError) {
    exchange.outcome = error.code
    return sendError(response, error)
  }
  const told = publicError(error, exchange.requestId, route.log.child({ route: exchange.route }))
  const code = String(told.extensions.code)
  exchange.outcome = code
  // Half an answer must not look like a whole one.
  if (isOver(response)) return void response.destroy()
  if (code === 'UNAUTHENTICATED') response.setHeader('www-authenticate', 'Bearer')
  for (const name of response.getHeaderNames()) if (name.startsWith('content-')) response.removeHeader(name)
  const { message, extensions } = told
  sendJson(
    response,
    statusOfCode(code, error instanceof GraphQLError),
    JSON.stringify({ errors: [{ message, extensions }] }),
  )
}
