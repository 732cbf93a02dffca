import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Which pages may use the API from a browser. Programs send no origin and may always.
 * @param allowed origins like `https://app.example`, or `*` for every page; the node's own page may always
 */
export function isAllowedOrigin(request: IncomingMessage, allowed: readonly string[]): boolean {
  const { origin, host } = request.headers
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return true
  return URL.canParse(origin) && new URL(origin).host === host
}

/** Tells browsers that a page of another origin may read the answer, if it may. */
export function allowOrigin(request: IncomingMessage, response: ServerResponse, allowed: readonly string[]): void {
  const { origin } = request.headers
  if (origin === undefined || !(allowed.includes('*') || allowed.includes(origin))) return
  response.setHeader('access-control-allow-origin', origin)
  response.setHeader('access-control-expose-headers', 'x-request-id')
  response.setHeader('vary', 'origin')
}

/** What a page may send: what the API looks at, and what clients and their tracing add by themselves. */
const ALLOWED_HEADERS =
  'accept, authorization, content-type, x-request-id, x-deaios-usage, traceparent, tracestate, last-event-id'

/** Answers a preflight. */
export function answerPreflight(response: ServerResponse, methods: readonly string[] = ['GET', 'POST']): void {
  response.writeHead(204, {
    'access-control-allow-methods': methods.join(', '),
    'access-control-allow-headers': ALLOWED_HEADERS,
    'access-control-max-age': '600',
  })
  response.end()
}
