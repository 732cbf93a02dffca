import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '../plugin.ts'
import type { TracedSpan, Tracing } from '../tracing/index.ts'
import { type Answered, Exchange } from './exchange.ts'
import { HttpError, sendError } from './http-error.ts'
import type { Router } from './router.ts'

/** What node:http calls with each request: it is answered whatever happens, named, and told about. */
export function makeListener(
  router: Router,
  log: Log,
  onAnswered: (answered: Answered) => void,
  tracing: Tracing | undefined,
): (request: IncomingMessage, response: ServerResponse) => void {
  const answer = (request: IncomingMessage, response: ServerResponse, exchange: Exchange): Promise<void> =>
    router(request, response, exchange).catch((error: unknown) => {
      exchange.outcome ??= error instanceof HttpError ? error.code : 'INTERNAL_SERVER_ERROR'
      if (error instanceof HttpError) {
        if (!response.headersSent) response.setHeader('x-request-id', exchange.requestId)
        sendError(response, error)
      } else {
        log.error({ requestId: exchange.requestId, error }, 'a request failed outside GraphQL')
        response.destroy()
      }
      exchange.answered(response)
    })

  if (tracing === undefined)
    return (request, response) => void answer(request, response, new Exchange(request, onAnswered))
  return (request, response) => {
    const exchange = new Exchange(request, onAnswered)
    const { traceparent } = request.headers
    const attributes = { 'http.request.method': exchange.method, 'deaios.request_id': exchange.requestId }
    const options = {
      kind: 'server',
      attributes,
      traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    } as const
    void tracing.run(exchange.method, options, async (span) => {
      exchange.span = span
      await answer(request, response, exchange)
      describe(span, exchange, response.statusCode)
    })
  }
}

function describe(span: TracedSpan, { method, route, plugin, outcome }: Exchange, status: number): void {
  span.rename(route.startsWith(method) ? route : `${method} ${route}`)
  span.set({ 'http.route': route, 'http.response.status_code': status, 'deaios.plugin': plugin })
  if (outcome !== undefined) span.set({ 'deaios.outcome': outcome })
  if (status >= 500) span.fail(outcome ?? String(status))
}
