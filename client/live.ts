import { type Client as Connection, createClient } from 'graphql-ws/client'
import type { TypedDocument } from './document.ts'
import { ClientError } from './errors.ts'
import { graphqlError, type ServerError } from './http.ts'
import { Stream } from './stream.ts'

/** Subscriptions over one WebSocket, which is open while there are any. */
export interface Live {
  /**
   * Results as they come. It is not resumed when the connection ends, since only the caller knows from where:
   * that throws ClientError DISCONNECTED.
   */
  subscribe<Result, Variables extends object>(
    document: TypedDocument<Result, Variables>,
    variables: Variables,
    signal?: AbortSignal,
  ): AsyncIterableIterator<Result, undefined>
  close(): Promise<void>
}

/** Milliseconds between two pings, and until the answer is missed. */
const PING_EVERY = 10_000
const PONG_WITHIN = 5_000
/** Milliseconds that the connection is kept for the next subscription. */
const LINGER = 1_000

/** Subscriptions at the WebSocket address that belongs to an HTTP one. */
export function connectLive(url: string, webSocket: typeof WebSocket, headers: Readonly<Record<string, string>>): Live {
  const connection = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: webSocket,
    connectionParams: { ...headers },
    retryAttempts: 0,
    keepAlive: PING_EVERY,
    lazyCloseTimeout: LINGER,
  })
  closeWhenSilent(connection)
  return {
    subscribe: (document, variables, signal) => subscribe(connection, document, variables, signal),
    close: async () => {
      // A connection that is just being made may fail: then there is none to close.
      await Promise.resolve(connection.dispose()).catch(() => undefined)
    },
  }
}

function subscribe<Result, Variables extends object>(
  connection: Connection,
  document: TypedDocument<Result, Variables>,
  variables: Variables,
  signal: AbortSignal | undefined,
): Stream<Result> {
  signal?.throwIfAborted()
  const stream = new Stream<Result>(() => stop())
  const abort = () => {
    stream.fail(signal?.reason)
    stop()
  }
  const dispose = connection.subscribe<Result>(
    { query: document.toString(), variables: Object.fromEntries(Object.entries(variables)) },
    {
      next: ({ data, errors }) => {
        if (errors !== undefined && errors.length > 0) {
          stream.fail(graphqlError(errors as readonly ServerError[]))
          stop()
        } else if (data !== undefined && data !== null) stream.push(data)
      },
      error: (error) => {
        stream.fail(asClientError(error))
        signal?.removeEventListener('abort', abort)
      },
      complete: () => {
        stream.end()
        signal?.removeEventListener('abort', abort)
      },
    },
  )
  const stop = () => {
    signal?.removeEventListener('abort', abort)
    dispose()
  }
  signal?.addEventListener('abort', abort, { once: true })
  return stream
}

function asClientError(error: unknown): ClientError {
  if (Array.isArray(error)) return graphqlError(error)
  if (typeof error === 'object' && error !== null && 'code' in error && 'reason' in error) {
    const { code, reason } = error
    return new ClientError('DISCONNECTED', `the connection was closed (${String(code)}): subscribe again`, {
      reason: typeof reason === 'string' && reason !== '' ? reason : undefined,
      cause: error,
    })
  }
  return new ClientError('DISCONNECTED', 'the connection failed: is the node running?', { cause: error })
}

/** A connection that died without a word is closed, so that its subscriptions end instead of hanging. */
function closeWhenSilent(connection: Connection): void {
  let close: (() => void) | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  connection.on('opened', (socket) => {
    if (socket instanceof Object && 'close' in socket && typeof socket.close === 'function') {
      const { close: closeSocket } = socket
      close = () => closeSocket.call(socket, 4408, 'no answer to a ping')
    }
  })
  connection.on('ping', (received) => {
    if (!received) timer = setTimeout(() => close?.(), PONG_WITHIN)
  })
  connection.on('pong', (received) => {
    if (received) clearTimeout(timer)
  })
  connection.on('closed', () => clearTimeout(timer))
}
