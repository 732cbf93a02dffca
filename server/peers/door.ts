import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { MAX_FRAME } from './messages.ts'

export interface DoorOptions {
  /** The one path that is answered. */
  readonly path: string
  /** What callers must show. */
  readonly secret: string
  readonly hostname: string
  /** 0 asks for any free one. */
  readonly port: number
  /** Connections at a time; more are refused. */
  readonly maxOpen: number
  /** Called with each caller that showed the secret. */
  readonly onSocket: (socket: WebSocket) => void
}

/** Where other processes of the same operator come in, by WebSocket: only who shows the secret gets past. */
export class Door {
  /** Like `ws://127.0.0.1:40123/peer`. */
  readonly url: string
  readonly #server: Server

  private constructor(url: string, server: Server) {
    this.url = url
    this.#server = server
  }

  /** Opens it. Throws the system's error if nothing can listen there. */
  static async open({ path, secret, hostname, port, maxOpen, onSocket }: DoorOptions): Promise<Door> {
    const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME, perMessageDeflate: false })
    const server = createServer((_request, response) => response.writeHead(404).end())
    let open = 0
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => socket.destroy())
      if (request.url !== path || !isShown(secret, request) || open >= maxOpen) {
        return socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n', () => socket.destroy())
      }
      sockets.handleUpgrade(request, socket, head, (accepted) => {
        open++
        accepted.once('close', () => open--)
        onSocket(accepted)
      })
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, hostname, resolve)
    })
    const address = server.address()
    const own = typeof address === 'object' && address !== null ? address.port : port
    const host = hostname.includes(':') ? `[${hostname}]` : hostname
    return new Door(`ws://${host}:${own}${path}`, server)
  }

  /** Lets nobody in any more. Whoever is in is for the owner to send away, before this. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }
}

/** Compares in constant time; hashing makes the lengths equal. */
function isShown(secret: string, { headers }: IncomingMessage): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(headers.authorization ?? ''), hash(`Bearer ${secret}`))
}
