import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { TLSSocket, type TLSSocketOptions } from 'node:tls'
import type { DatabaseOptions } from '../../plugin/sql.ts'

const SSL_REQUEST_SIZE = 8

/** For tests: a port before a Postgres, whose connections can be cut in several ways. */
export class Door {
  readonly #server: Server
  readonly #database: DatabaseOptions
  readonly #clients = new Set<Socket>()
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  /** What is done with those who come; `let in` if absent. */
  greet: ((socket: Socket) => void) | undefined
  /** Connections that were let in so far. */
  count = 0

  private constructor(database: DatabaseOptions, server: Server) {
    this.#database = database
    this.#server = server
    server.on('connection', (socket) => {
      this.#clients.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => this.#clients.delete(socket))
      if (this.greet === undefined) this.letIn(socket)
      else this.greet(socket)
    })
  }

  static async before(database: DatabaseOptions): Promise<Door> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new Door(database, server)
  }

  /** How to reach the database through it. */
  get options(): DatabaseOptions {
    const address = this.#server.address()
    return { ...this.#database, host: '127.0.0.1', port: typeof address === 'object' ? (address?.port ?? 0) : 0 }
  }

  letIn(client: Socket): void {
    this.count++
    const { host, port } = this.#database
    const server = createConnection(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port })
    const pair = [client, server] as const
    this.#pairs.add(pair)
    for (const socket of pair) {
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#pairs.delete(pair)
        for (const other of pair) other.destroy()
      })
    }
    client.pipe(server)
    server.pipe(client)
  }

  /** Answers the wish for TLS, and lets in who comes with it. */
  secure(client: Socket, options: TLSSocketOptions): void {
    client.once('readable', () => {
      client.read(SSL_REQUEST_SIZE)
      client.write('S')
      const tls = new TLSSocket(client, { ...options, isServer: true })
      tls.on('error', () => undefined)
      this.letIn(tls)
    })
  }

  /** Cuts each connection that is chosen. @param way by a reset, politely, or from the server's side */
  cut(way: 'reset' | 'close' | 'server', choose: () => boolean = () => true): void {
    for (const [client, server] of [...this.#pairs]) {
      if (!choose()) continue
      if (way === 'reset') client.resetAndDestroy()
      else if (way === 'close') client.end()
      else server.destroy()
    }
  }

  async close(): Promise<void> {
    for (const client of [...this.#clients]) client.destroy()
    for (const [, server] of [...this.#pairs]) server.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}
