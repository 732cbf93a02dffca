import type { WebSocket } from 'ws'
import { decodeFrame, encodeFrame } from './messages.ts'

const PING_MS = 2_000
/** A side that says nothing for so long is gone, or stopped. */
const SILENCE_MS = 6_000

/** One connection between two nodes: messages of one turn travel in one frame; a silent side is noticed. */
export class Wire<Incoming, Outgoing> {
  readonly #socket: WebSocket
  #waiting: Outgoing[] = []
  #heardAt = performance.now()
  readonly #pinging: NodeJS.Timeout

  constructor(socket: WebSocket, onMessage: (message: Incoming) => void, onClose: () => void) {
    this.#socket = socket
    socket.on('message', (frame: Buffer) => {
      this.#heard()
      let messages: unknown
      try {
        messages = decodeFrame<Incoming>(frame)
      } catch {
        messages = undefined
      }
      // Not one of ours: a node of another version, or nobody that should be here.
      if (!Array.isArray(messages)) return socket.terminate()
      for (const message of messages) onMessage(message)
    })
    socket.on('pong', () => this.#heard())
    socket.on('ping', () => this.#heard())
    // 'close' follows, and tells all there is to know.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearInterval(this.#pinging)
      onClose()
    })
    this.#pinging = setInterval(() => this.#ping(), PING_MS)
    this.#pinging.unref()
  }

  /** Bytes that wait for the other side to take them. */
  get buffered(): number {
    return this.#socket.bufferedAmount
  }

  send(message: Outgoing): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#flush())
    this.#waiting.push(message)
  }

  close(): void {
    this.#flush()
    this.#socket.close()
  }

  terminate(): void {
    this.#socket.terminate()
  }

  #flush(): void {
    const messages = this.#waiting
    this.#waiting = []
    if (messages.length > 0 && this.#socket.readyState === this.#socket.OPEN) this.#socket.send(encodeFrame(messages))
  }

  #heard(): void {
    this.#heardAt = performance.now()
  }

  #ping(): void {
    if (performance.now() - this.#heardAt > SILENCE_MS) this.#socket.terminate()
    else if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping()
  }
}
