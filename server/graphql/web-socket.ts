import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL as PROTOCOL } from 'graphql-ws'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Log } from '../plugin.ts'
import { type Authenticate, type Credentials, credentialsOf } from './authenticate.ts'
import type { Engine } from './engine.ts'
import type { Limits } from './limits.ts'
import { Held, type Holders, NOBODY, Share } from './share.ts'
import { Connection } from './web-socket/connection.ts'
import { boundIntake } from './web-socket/intake.ts'
import { KeepAlive } from './web-socket/keep-alive.ts'
import { Turns } from './web-socket/turns.ts'

/** Milliseconds until a socket that sent too much is cut off. */
const REFUSAL_MS = 100

/** What sockets share with other clients. */
export interface SocketShares {
  /** Bytes that were received and are not whole, and of answers that clients have not read. */
  readonly bytes?: Share
  /** Whom a client's part is counted for. */
  readonly holdersOf?: (credentials: Credentials) => Holders
}

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
  { bytes = new Share(limits.bodiesBytes), holdersOf = () => NOBODY }: SocketShares = {},
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
  const open = new Share(limits.connections)
  const keepAlive = new KeepAlive()
  engine.onRevoked((access) => {
    for (const connection of connections) if (connection.access === access) connection.revoke()
  })

  // Of the request, nothing may stay in memory for as long as the connection does.
  const accept = (socket: WebSocket, stream: Duplex, credentials: Credentials, holders: Holders): void => {
    // First of all: an error that nobody hears ends the process.
    socket.on('error', (error) => log.debug({ error }, 'a WebSocket failed'))
    if (socket.protocol !== PROTOCOL)
      return socket.close(CloseCode.SubprotocolNotAcceptable, 'Subprotocol not acceptable')
    const shares = { unread: new Held(bytes, holders), holders }
    const connection = new Connection(socket, stream, credentials, shares, parts)
    connections.add(connection)
    const unwatch = keepAlive.watch(socket)
    const received = new Held(bytes, holders)
    boundIntake(
      socket,
      stream,
      received,
      () => connection.mostBytes,
      (why) => {
        if (why === 'large') socket.close(1009, 'The message is too large')
        else socket.close(CloseCode.InternalServerError, 'The node receives as much as it can')
        // The rest of it is not read; the client has a moment to read why.
        socket.pause()
        setTimeout(() => socket.terminate(), REFUSAL_MS).unref()
      },
    )
    socket.on('message', (message) => connection.receive(String(message)))
    socket.once('close', () => {
      unwatch()
      received.set(0)
      connections.delete(connection)
      connection.closed()
    })
  }

  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', (error) => log.debug({ error }, 'an upgrade failed'))
    if (request.url?.split('?')[0] !== '/graphql') return refuseUpgrade(stream, '404 Not Found')
    if (!isAllowed(request)) return refuseUpgrade(stream, '403 Forbidden')
    const credentials = credentialsOf(request)
    const holders = holdersOf(credentials)
    if (!open.take(holders)) return refuseUpgrade(stream, '503 Service Unavailable')
    // Whether or not it becomes a WebSocket.
    stream.once('close', () => open.give(holders))
    sockets.handleUpgrade(request, stream, head, (socket) => accept(socket, stream, credentials, holders))
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
