import { type ServerOptions, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Limits } from '../graphql/limits.ts'

const MAX_HEADERS_SECONDS = 10

/**
 * How long and how large a request may be until it has arrived. A client that sends a byte a second is let go at
 * `timeoutSeconds`, headers or body; one whose headers do not come, after ten seconds.
 */
export function socketOptions({ timeoutSeconds, headerBytes }: Limits): ServerOptions {
  const requestTimeout = timeoutSeconds * 1000
  return {
    requestTimeout,
    headersTimeout: Math.min(requestTimeout, MAX_HEADERS_SECONDS * 1000),
    connectionsCheckingInterval: Math.min(1000, requestTimeout / 4),
    maxHeaderSize: headerBytes,
  }
}

const refusals: Readonly<Record<string, readonly [status: string, code: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'HEADERS_TOO_LARGE',
    'The headers are too large. network { limits { headerBytes } } tells the limit.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'REQUEST_TIMEOUT', 'The request did not arrive in time.'],
}
const NOT_HTTP = ['400 Bad Request', 'BAD_REQUEST', 'This is not HTTP/1.1.'] as const

/** Answers what could not be read as a request, if nothing else is being written there, and closes. */
export function refuseClient(error: NodeJS.ErrnoException, socket: Duplex): void {
  const [status, code, message] = refusals[error.code ?? ''] ?? NOT_HTTP
  if (error.code !== 'ECONNRESET' && socket.writable && !isAnswering(socket)) {
    const body = JSON.stringify({ errors: [{ message, extensions: { code } }] })
    socket.end(
      `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    )
  }
  // Whoever does not read the refusal is not waited for.
  setTimeout(() => socket.destroy(), 100).unref()
}

/** Whether an answer's first bytes are out: a second head in it would be taken for its body. */
const isAnswering = (socket: Duplex): boolean => answerOn(socket)?.headersSent === true

/** The answer that is being written to a socket; node:http has no public name for it. */
export function answerOn(socket: Duplex): ServerResponse | undefined {
  return '_httpMessage' in socket && socket._httpMessage instanceof ServerResponse ? socket._httpMessage : undefined
}
