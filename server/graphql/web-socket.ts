import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL as PROTOCOL } from 'graphql-ws'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Log } from '../plugin.ts'
import { type Authenticate, type Credentials, credentialsOf } from './authenticate.ts'
import type { Engine } from './engine.ts'
import type { Limits } from './limits.ts'
import { Connection } from './web-socket/connection.ts'
import { KeepAlive } from './web-socket/keep-alive.ts'
import { Turns } from './web-socket/turns.ts'

/** GraphQL over WebSocket, by the graphql-transport-ws protocol. */
export interface WebSockets {
  /** How many are open. */
  readonly open: number
  /** Closes all sockets with 1001, after their streams have ended. */
  close(): Promise<void>
}

/**
 * Serves WebSockets at /graphql of an HTTP server.
 * @param isAllowed whether a page of this origin may connect; browsers apply no same-origin rule to WebSockets
 */
export function serveWebSockets(
  server: Server,
  engine: Engine,
  limits: Limits,
  log: Log,
  authenticate: Authenticate,
  isAllowed: (request: IncomingMessage) => boolean,
): WebSockets {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.bodyBytes,
    // Frames are written beside `ws`: that is only right as long as it compresses nothing.
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
  })
  const parts = { engine, limits, log, authenticate, turns: new Turns() }
  const connections = new Set<Connection>()
  const keepAlive = new KeepAlive()
  engine.onRevoked((access) => {
    for (const connection of connections) if (connection.access === access) connection.revoke()
  })

  // Of the request, nothing may stay in memory for as long as the connection does.
  const accept = (socket: WebSocket, stream: Duplex, credentials: Credentials): void => {
    // First of all: an error that nobody hears ends the process.
    socket.on('error', (error) => log.debug({ error }, 'a WebSocket failed'))
    if (socket.protocol !== PROTOCOL)
      return socket.close(CloseCode.SubprotocolNotAcceptable, 'Subprotocol not acceptable')
    const connection = new Connection(socket, stream, credentials, parts)
    connections.add(connection)
    const unwatch = keepAlive.watch(socket)
    socket.on('message', (message) => connection.receive(String(message)))
    socket.once('close', () => {
      unwatch()
      connections.delete(connection)
      connection.closed()
    })
  }

  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', (error) => log.debug({ error }, 'an upgrade failed'))
    if (request.url?.split('?')[0] !== '/graphql') return refuseUpgrade(stream, '404 Not Found')
    if (!isAllowed(request)) return refuseUpgrade(stream, '403 Forbidden')
    if (sockets.clients.size >= limits.connections) return refuseUpgrade(stream, '503 Service Unavailable')
    sockets.handleUpgrade(request, stream, head, (socket) => accept(socket, stream, credentialsOf(request)))
  })

  return {
    get open() {
      return connections.size
    },
    async close() {
      keepAlive.stop()
      for (const socket of sockets.clients) socket.close(1001, 'the node is shutting down')
      const closing = new Promise<void>((resolve) => sockets.close(() => resolve()))
      const timer = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate()
      }, 1_000)
      await closing
      clearTimeout(timer)
    },
  }
}

/** Refuses, and waits for no reply: node:http leaves such a socket to whoever took the upgrade, half open. */
function refuseUpgrade(stream: Duplex, status: string): void {
  stream.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () => stream.destroy())
}
