import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { Answers } from './answers.ts'
import { MAX_FRAME } from './messages.ts'
import { PeerSession } from './session.ts'

const PATH = '/peer'
/** Other nodes that may be connected; each has one connection. */
const MAX_SESSIONS = 256

/** Where a node answers the others of its database. */
export interface PeersOptions {
  /** 127.0.0.1 if absent, so that only this machine can reach it. */
  readonly hostname?: string | undefined
  /** Any free one if absent. */
  readonly port?: number | undefined
  /** How the other nodes reach it, if not by hostname and port, like `ws://10.0.0.4:4100/peer`. */
  readonly url?: string | undefined
}

/** The internal door: only who reads the secret in the database gets in. */
export class PeerListener {
  readonly url: string
  /** To be shown by callers; new at each start. */
  readonly secret: string
  readonly #server: Server
  readonly #sessions: Set<PeerSession>

  private constructor(url: string, secret: string, server: Server, sessions: Set<PeerSession>) {
    this.url = url
    this.secret = secret
    this.#server = server
    this.#sessions = sessions
  }

  static async open(answers: Answers, options: PeersOptions = {}): Promise<PeerListener> {
    const { hostname = '127.0.0.1', port = 0 } = options
    const secret = randomBytes(32).toString('base64url')
    const sessions = new Set<PeerSession>()
    const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME, perMessageDeflate: false })
    const server = createServer((_request, response) => response.writeHead(404).end())
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => socket.destroy())
      if (request.url !== PATH || !isShown(secret, request) || sessions.size >= MAX_SESSIONS) {
        return socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n', () => socket.destroy())
      }
      sockets.handleUpgrade(request, socket, head, (accepted) => {
        const session: PeerSession = new PeerSession(accepted, answers, () => sessions.delete(session))
        sessions.add(session)
      })
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, hostname, resolve)
    })
    const address = server.address()
    const own = typeof address === 'object' && address !== null ? address.port : port
    const host = hostname.includes(':') ? `[${hostname}]` : hostname
    return new PeerListener(options.url ?? `ws://${host}:${own}${PATH}`, secret, server, sessions)
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) session.close()
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
