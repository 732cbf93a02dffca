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

/** A text frame of two parts. */
export function frameOf(head: Buffer, tail: Buffer): Buffer {
  const length = head.length + tail.length
  const bytes = Buffer.allocUnsafe(headerSize(length) + length)
  putFrame(bytes, 0, head, tail)
  return bytes
}

/** Writes a frame; gives where it ends. */
function putFrame(target: Buffer, at: number, head: Buffer, tail: Buffer): number {
  const begin = writeHeader(target, at, head.length + tail.length)
  target.set(head, begin)
  target.set(tail, begin + head.length)
  return begin + head.length + tail.length
}

/** Where the frames for one socket are put together, so that they leave in one write. Used for one socket at a time. */
export class Scratch {
  readonly #bytes: Buffer
  #length = 0
  /** The first frame, not copied yet: most often it stays the only one. */
  #first: { readonly head: Buffer; readonly tail: Buffer } | undefined

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity)
  }

  get isEmpty(): boolean {
    return this.#length === 0
  }

  /** Adds a text frame of two parts. False, and nothing is added, if there is no room. */
  add(head: Buffer, tail: Buffer): boolean {
    const length = head.length + tail.length
    const end = this.#length + headerSize(length) + length
    if (end > this.#bytes.length) return false
    if (this.#length === 0) this.#first = { head, tail }
    else {
      const first = this.#first
      if (first !== undefined) {
        this.#first = undefined
        putFrame(this.#bytes, 0, first.head, first.tail)
      }
      putFrame(this.#bytes, this.#length, head, tail)
    }
    this.#length = end
    return true
  }

  /** What was added since the last time, in bytes of its own. */
  take(): Buffer {
    const first = this.#first
    const length = this.#length
    this.#first = undefined
    this.#length = 0
    if (first !== undefined) return frameOf(first.head, first.tail)
    const taken = Buffer.allocUnsafe(length)
    taken.set(this.#bytes.subarray(0, length))
    return taken
  }
}
