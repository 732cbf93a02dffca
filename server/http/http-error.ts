import type { ServerResponse } from 'node:http'

export type HttpErrorCode =
  | 'BAD_REQUEST'
  | 'REQUEST_ENTITY_TOO_LARGE'
  | 'DRAINING'
  | 'FORBIDDEN_ORIGIN'
  | 'METHOD_NOT_ALLOWED'
  | 'NOT_FOUND'
  | 'OVERLOADED'
  | 'PLUGIN_FAILED'
  | 'TIMEOUT'
  | 'UNAUTHENTICATED'
  | 'UNSUPPORTED_MEDIA_TYPE'

/** A request that is refused before it is GraphQL. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  readonly code: HttpErrorCode

  constructor(status: number, code: HttpErrorCode, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** Answers with a JSON document in the shape of a GraphQL error. */
export function sendError(response: ServerResponse, { status, code, message }: HttpError): void {
  if (response.headersSent || response.destroyed) return
  // What the client has not sent yet is not read: the connection cannot be used again.
  if (status === 413 || code === 'OVERLOADED') response.setHeader('connection', 'close')
  sendJson(response, status, JSON.stringify({ errors: [{ message, extensions: { code } }] }))
}

/**
 * Answers with text that is JSON already; headers that were set before go with it.
 * @param requestId where it was not set as a header before: writing all headers at once is faster
 */
export function sendJson(response: ServerResponse, status: number, json: string, requestId?: string): void {
  if (response.headersSent || response.destroyed) return
  const length = Buffer.byteLength(json)
  response.writeHead(status, {
    ...(requestId === undefined ? {} : { 'x-request-id': requestId }),
    'content-type': 'application/json; charset=utf-8',
    'content-length': length,
    'cache-control': 'no-store',
  })
  // As many bytes as characters: plain ASCII, which needs no conversion.
  response.end(json, length === json.length ? 'latin1' : 'utf8')
}
