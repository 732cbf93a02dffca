import { type Client as Connection, createClient } from 'graphql-ws/client'
import type { TypedDocument } from './document.ts'
import { type Followed, type FollowOptions, follow } from './follow.ts'

/** Subscriptions over one WebSocket, which is open while there are any. */
export interface Live {
  /**
   * Results as they come. A stream of events (the document has a variable for the cursor `after`) is resumed where it
   * was cut; other subscriptions end with DISCONNECTED, since only the caller knows what to do then.
   */
  subscribe<Result, Variables extends object>(
    document: TypedDocument<Result, Variables>,
    variables: Variables,
    options?: FollowOptions,
  ): AsyncIterableIterator<Result, undefined>
  /** Ends all of them. */
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
  const followed: Followed = new Set()
  return {
    subscribe: (document, variables, options = {}) => follow(connection, followed, document, variables, options),
    close: async () => {
      // First: the end of the connection alone would look like a cut, and streams would be taken up again.
      for (const following of [...followed]) following.end()
      // A connection that is just being made may fail: then there is none to close.
      await Promise.resolve(connection.dispose()).catch(() => undefined)
    },
  }
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
