import { createConnection, type Socket } from 'node:net'

/** The server did not answer as HTTP/1.1 with a length, or closed. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  readonly code = 'CONNECTION'
}

export interface HttpAnswer {
  readonly status: number
  readonly body: Buffer
}

interface Waiting {
  readonly resolve: (answer: HttpAnswer) => void
  readonly reject: (error: Error) => void
}

interface Head {
  /** With the empty line that ends it. */
  readonly bytes: number
  readonly status: number
  /** Bytes of the body. */
  readonly body: number
}

const MAX_HEAD = 16_384

/**
 * One kept-alive connection that sends prepared bytes, one request at a time, and reads just enough of HTTP/1.1 to know
 * where an answer ends: a client library would take as much of the machine as the server that is measured.
 */
export class HttpConnection {
  readonly #socket: Socket
  #waiting: Waiting | undefined
  #received: Buffer[] = []
  #length = 0
  #head: Head | undefined
  #fault: Error | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new ConnectionError('the server closed the connection')))
  }

  static open(port: number): Promise<HttpConnection> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ port, host: '127.0.0.1' })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new HttpConnection(socket))
      })
    })
  }

  /** False once the server has closed it. */
  get isOpen(): boolean {
    return this.#fault === undefined
  }

  /** @throws ConnectionError, or the socket's error */
  send(request: Uint8Array): Promise<HttpAnswer> {
    if (this.#fault !== undefined) return Promise.reject(this.#fault)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk)
    this.#length += chunk.length
    try {
      this.#head ??= this.#readHead()
    } catch (error) {
      this.#fail(error instanceof Error ? error : new ConnectionError(String(error)))
      return
    }
    if (this.#head === undefined || this.#length < this.#head.bytes + this.#head.body) return
    const { bytes, status } = this.#head
    const whole = this.#received.length === 1 ? chunk : Buffer.concat(this.#received)
    this.#received = []
    this.#length = 0
    this.#head = undefined
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve({ status, body: whole.subarray(bytes) })
  }

  #readHead(): Head | undefined {
    const start = this.#received.length === 1 ? this.#received[0]! : Buffer.concat(this.#received)
    const end = start.indexOf('\r\n\r\n')
    if (end < 0) {
      if (start.length > MAX_HEAD) throw new ConnectionError('the head of the answer has no end')
      return undefined
    }
    const head = start.toString('latin1', 0, end)
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    if (length === undefined) throw new ConnectionError(`the answer has no content-length: ${head.slice(0, 200)}`)
    return { bytes: end + 4, status: Number(head.slice(9, 12)), body: Number(length) }
  }

  #fail(error: Error): void {
    this.#fault ??= error
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.reject(error)
    this.#socket.destroy()
  }
}
