const FIN_TEXT = 0x81
const LARGEST_HEADER = 10

/** Bytes of a frame's header (RFC 6455, 5.2); what a server sends is not masked. */
const headerSize = (length: number): number => (length < 126 ? 2 : length < 65_536 ? 4 : LARGEST_HEADER)

function writeHeader(target: Buffer, at: number, length: number): number {
  target[at] = FIN_TEXT
  if (length < 126) {
    target[at + 1] = length
    return at + 2
  }
  if (length < 65_536) {
    target[at + 1] = 126
    target[at + 2] = length >>> 8
    target[at + 3] = length & 255
    return at + 4
  }
  target[at + 1] = 127
  target.writeUInt32BE(Math.floor(length / 2 ** 32), at + 2)
  target.writeUInt32BE(length % 2 ** 32, at + 6)
  return at + LARGEST_HEADER
}

/** The header of a text frame and the first part of its payload, for a payload that is too large to copy. */
export function openFrame(head: Buffer, rest: number): Buffer {
  const length = head.length + rest
  const bytes = Buffer.allocUnsafe(headerSize(length) + head.length)
  bytes.set(head, writeHeader(bytes, 0, length))
  return bytes
}

/** One text frame. */
export const frameOf = (payload: Buffer): Buffer => openFrame(payload, 0)

/** Where the frames for one socket are put together, so that they leave in one write. Used for one socket at a time. */
export class Scratch {
  readonly #bytes: Buffer
  #length = 0

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity)
  }

  get length(): number {
    return this.#length
  }

  /** Adds a text frame of two parts. False, and nothing is added, if there is no room. */
  add(head: Buffer, tail: Buffer): boolean {
    const length = head.length + tail.length
    if (this.#length + headerSize(length) + length > this.#bytes.length) return false
    let at = writeHeader(this.#bytes, this.#length, length)
    this.#bytes.set(head, at)
    at += head.length
    this.#bytes.set(tail, at)
    this.#length = at + tail.length
    return true
  }

  /** A copy of what was added since the last time. */
  take(): Buffer {
    const taken = Buffer.allocUnsafe(this.#length)
    taken.set(this.#bytes.subarray(0, this.#length))
    this.#length = 0
    return taken
  }
}
