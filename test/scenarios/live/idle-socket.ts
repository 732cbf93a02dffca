import { WebSocket } from 'ws'

const QUERY = 'subscription { events(topics: ["execution.block"]) { cursor } }'

/** A client with one subscription that only counts what comes. */
export class IdleSocket {
  readonly #socket: WebSocket
  /** Events that came. */
  received = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN
  }

  /** Connects and subscribes. Rejects with the status of a refusal. */
  static async open(url: string): Promise<IdleSocket> {
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', { perMessageDeflate: false })
    const idle = new IdleSocket(socket)
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    socket.on('error', () => undefined)
    const acknowledged = new Promise((resolve) => socket.once('message', resolve))
    socket.send('{"type":"connection_init"}')
    await acknowledged
    socket.on('message', () => idle.received++)
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: QUERY } }))
    return idle
  }

  destroy(): void {
    this.#socket.terminate()
  }
}
