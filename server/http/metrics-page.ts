import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { GraphQLError } from 'graphql'
import { type Authenticate, credentialsOf } from '../graphql/authenticate.ts'
import type { MetricsRegistry } from '../metrics/index.ts'
import { HttpError } from './http-error.ts'

/** The scope of keys that may read metrics. */
const SCOPE = 'metrics:read'

/** Whether there is /metrics, and who may read it. */
export interface MetricsAccess {
  readonly enabled: boolean
  /** Whoever sends it as `authorization: Bearer <token>`; without one, programs on this machine may. */
  readonly token?: string | undefined
  /** What is served besides: the process's own metrics. */
  readonly more?: () => Promise<string>
}

/**
 * Makes GET /metrics. It may be read with the token, by a key that has the scope `metrics:read`, or, if there is no
 * token, from this machine and not through a proxy.
 */
export function serveMetrics(
  metrics: MetricsRegistry,
  { enabled, token, more }: MetricsAccess = { enabled: true },
  authenticate: Authenticate,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const mayRead = async (request: IncomingMessage): Promise<boolean> => {
    const { authorization } = request.headers
    if (authorization === undefined) return token === undefined && isNear(request)
    if (token !== undefined && isSame(authorization, `Bearer ${token}`)) return true
    try {
      return (await authenticate(credentialsOf(request))).can(SCOPE)
    } catch (error) {
      if (error instanceof GraphQLError) return false
      throw error
    }
  }
  return async (request, response) => {
    if (!enabled) throw new HttpError(404, 'NOT_FOUND', 'Metrics are switched off here.')
    if (request.method !== 'GET') throw new HttpError(405, 'METHOD_NOT_ALLOWED', 'Use GET.')
    if (!(await mayRead(request))) {
      response.setHeader('www-authenticate', 'Bearer')
      throw new HttpError(
        401,
        'UNAUTHENTICATED',
        `Metrics are for the operator: send the token of the node's config, or a key with the scope ${SCOPE}, as authorization: Bearer ...`,
      )
    }
    const text = (await metrics.text()) + ((await more?.()) ?? '')
    response.writeHead(200, {
      'content-type': metrics.contentType,
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
    })
    response.end(text)
  }
}

/** From this machine, and not passed on for somebody else by a proxy here. */
function isNear({ socket, headers }: IncomingMessage): boolean {
  const address = socket.remoteAddress ?? ''
  const isHere = address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.')
  return isHere && headers.forwarded === undefined && headers['x-forwarded-for'] === undefined
}

/** In a time that tells nothing about where they differ. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
