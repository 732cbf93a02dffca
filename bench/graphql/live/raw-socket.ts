import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A part of a stream that holds whole frames' payloads. */
export type OnMessage = (bytes: Buffer, begin: number, end: number) => void

/**
 * A WebSocket client that only looks at where messages begin and end: a thousand of them must cost less than the
 * server that they measure.
 */
export class RawSocket {
  readonly #socket: Socket
  #rest: Buffer | undefined
  onMessage: OnMessage = () => undefined

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Connects to /graphql of this machine, and has been acknowledged. */
  static async open(port: number): Promise<RawSocket> {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    await once(socket, 'connect')
    const raw = new RawSocket(socket)
    socket.write(
      `GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n`,
    )
    const [head]: Buffer[] = await once(socket, 'data')
    if (head === undefined || !head.toString('latin1').startsWith('HTTP/1.1 101'))
      throw new TypeError(`no WebSocket: ${head?.toString('latin1').slice(0, 100)}`)
    const acknowledged = new Promise<void>((resolve) => {
      raw.onMessage = () => resolve()
    })
    socket.on('data', (bytes: Buffer) => raw.#read(bytes))
    raw.send({ type: 'connection_init' })
    await acknowledged
    raw.onMessage = () => undefined
    return raw
  }

  send(message: object): void {
    const payload = Buffer.from(JSON.stringify(message))
    // Masked with zeros, as a client must.
    const header =
      payload.length < 126
        ? Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0])
        : Buffer.from([0x81, 0xfe, payload.length >>> 8, payload.length & 255, 0, 0, 0, 0])
    this.#socket.write(Buffer.concat([header, payload]))
  }

  destroy(): void {
    this.onMessage = () => undefined
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (at + 2 <= bytes.length) {
      const short = (bytes[at + 1] ?? 0) & 127
      const header = short < 126 ? 2 : short === 126 ? 4 : 10
      if (at + header > bytes.length) break
      const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6)
      const end = at + header + length
      if (end > bytes.length) break
      const opcode = (bytes[at] ?? 0) & 15
      if (opcode === 1) this.onMessage(bytes, at + header, end)
      else if (opcode === 9) this.#socket.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0]))
      at = end
    }
    this.#rest = at === bytes.length ? undefined : bytes.subarray(at)
  }
}

/** The digits behind a key like `"n":` in a message; NaN if it is not there. */
export function numberBehind(bytes: Buffer, key: string, begin: number, end: number): number {
  const found = bytes.indexOf(key, begin, 'latin1')
  if (found === -1 || found >= end) return Number.NaN
  let value = 0
  for (let at = found + key.length; at < end; at++) {
    const digit = (bytes[at] ?? 0) - 48
    if (digit < 0 || digit > 9) break
    value = 10 * value + digit
  }
  return value
}
