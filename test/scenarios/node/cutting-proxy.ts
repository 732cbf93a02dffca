import { createConnection, createServer, type Server, type Socket } from 'node:net'

/** A way to a node that can be cut at any byte, like a real network. */
export class CuttingProxy {
  #target: number
  readonly #server: Server
  readonly #open = new Set<Socket>()

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer((socket) => this.#join(socket))
  }

  /** Opens a way to the node that answers at this address. */
  static async to(url: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(Number(new URL(url).port))
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  /** The node's /graphql by this way. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/graphql`
  }

  /** Where it listens, on 127.0.0.1. */
  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new TypeError('the proxy is not open')
    return address.port
  }

  /** From now on leads to the node at this address. */
  lead(url: string): void {
    this.#target = Number(new URL(url).port)
  }

  /** Ends every connection, whatever is on its way. */
  cut(): void {
    for (const socket of this.#open) socket.resetAndDestroy()
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #join(client: Socket): void {
    const node = createConnection(this.#target, '127.0.0.1')
    for (const [one, other] of [
      [client, node],
      [node, client],
    ] as const) {
      this.#open.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        this.#open.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  }
}
