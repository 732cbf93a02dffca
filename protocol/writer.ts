import { compare, fromHex } from './bytes.ts'
import { CodecError } from './errors.ts'
import { type CborValue, MAX_DEPTH } from './value.ts'

const encoder = new TextEncoder()
const LEAST_NEGATIVE = -(1n << 64n)
const GREATEST_SAFE = BigInt(Number.MAX_SAFE_INTEGER)
// A buffer that once held something huge is not kept.
const KEEP = 1 << 20

/** Writes canonical CBOR (RFC 8949, 4.2.1) into one growing buffer. `finish` hands it out; the writer can be used again. */
export class Writer {
  private buffer: Uint8Array
  private at = 0

  /** `capacity`: bytes to begin with. */
  constructor(capacity = 512) {
    this.buffer = new Uint8Array(capacity)
  }

  /** The bytes written so far. */
  get length(): number {
    return this.at
  }

  /** A copy of all that was written; the writer is empty again. */
  finish(): Uint8Array {
    const bytes = this.buffer.slice(0, this.at)
    this.reset()
    return bytes
  }

  /** A view of what was written from `start` on, good until the next write: for hashing without a copy. */
  view(start = 0): Uint8Array {
    return this.buffer.subarray(start, this.at)
  }

  /** Forgets what was written from `length` on. */
  truncate(length: number): void {
    this.at = Math.min(this.at, length)
  }

  /** Forgets all that was written. */
  reset(): void {
    this.at = 0
    if (this.buffer.length > KEEP) this.buffer = new Uint8Array(512)
  }

  /** The head of an array; its items are to follow. */
  arrayHeader(length: number): void {
    this.head(4, length)
  }

  /**
   * An unsigned integer of any size.
   * @throws CodecError UNSUPPORTED if negative or not a safe integer.
   */
  uint(value: number | bigint): void {
    if (value < 0) throw new CodecError('UNSUPPORTED', `${value} is negative`)
    this.integer(value)
  }

  /** A byte string. */
  bytes(value: Uint8Array): void {
    this.head(2, value.length)
    this.raw(value)
  }

  /**
   * A text.
   * @throws CodecError UNSUPPORTED if it has half a surrogate pair.
   */
  text(value: string): void {
    const { length } = value
    if (length > 64) {
      this.utf8(value)
      return
    }
    this.reserve(length + 2)
    const start = this.at
    this.head(3, length)
    const { buffer } = this
    let { at } = this
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) {
        this.at = start
        this.utf8(value)
        return
      }
      buffer[at++] = code
    }
    this.at = at
  }

  /** Bytes that are encoded already. */
  raw(bytes: Uint8Array): void {
    const { length } = bytes
    this.reserve(length)
    const { buffer, at } = this
    // For an id or a hash the loop is ahead of the call.
    if (length > 32) buffer.set(bytes, at)
    else for (let i = 0; i < length; i++) buffer[at + i] = bytes[i]!
    this.at = at + length
  }

  /**
   * Any value, in which arrays and maps are nested at most `levels` deep.
   * @throws CodecError UNSUPPORTED for what has no encoding: fractions, unsafe integers, undefined, functions, class
   *   instances, nesting beyond `levels`.
   */
  value(value: CborValue, levels: number = MAX_DEPTH): void {
    switch (typeof value) {
      case 'number':
      case 'bigint':
        this.integer(value)
        break
      case 'string':
        this.text(value)
        break
      case 'boolean':
        this.byte(value ? 0xf5 : 0xf4)
        break
      case 'object':
        if (value === null) this.byte(0xf6)
        else if (value instanceof Uint8Array) this.bytes(value)
        else if (levels < 1) throw new CodecError('UNSUPPORTED', 'arrays and maps are nested too deep')
        else if (isList(value)) this.list(value, levels)
        else this.map(value, levels)
        break
      default:
        throw new CodecError('UNSUPPORTED', `${typeof value} has no encoding`)
    }
  }

  private list(list: readonly CborValue[], levels: number): void {
    // An item's getter may change the list.
    const { length } = list
    this.head(4, length)
    for (let i = 0; i < length; i++) this.value(list[i]!, levels - 1)
  }

  private map(map: { readonly [key: string]: CborValue }, levels: number): void {
    const prototype: unknown = Object.getPrototypeOf(map)
    if (prototype !== Object.prototype && prototype !== null) {
      throw new CodecError('UNSUPPORTED', 'only plain objects are maps: copy the instance into one')
    }
    const keys = Object.keys(map)
    if (keys.length > 1) sortKeys(keys)
    this.head(5, keys.length)
    for (const key of keys) {
      this.text(key)
      this.value(map[key]!, levels - 1)
    }
  }

  private integer(value: number | bigint): void {
    if (typeof value === 'number') {
      if (!Number.isSafeInteger(value)) throw new CodecError('UNSUPPORTED', `${value} is no safe integer: use a bigint`)
      if (value < 0) this.head(1, -1 - value)
      else this.head(0, value)
    } else if (value < 0n) {
      if (value < LEAST_NEGATIVE) throw new CodecError('UNSUPPORTED', 'an integer is not below -2^64')
      this.wide(1, -1n - value)
    } else if (value >> 64n === 0n) this.wide(0, value)
    else this.bignum(value)
  }

  private bignum(value: bigint): void {
    const digits = value.toString(16)
    const even = digits.length % 2 === 0 ? digits : `0${digits}`
    this.byte(0xc2)
    this.bytes(fromHex(even))
  }

  /** A head whose argument is below 2^64. */
  private wide(major: number, argument: bigint): void {
    if (argument <= GREATEST_SAFE) {
      this.head(major, Number(argument))
      return
    }
    this.reserve(9)
    this.buffer[this.at] = (major << 5) | 27
    this.word(this.at + 1, Number(argument >> 32n))
    this.word(this.at + 5, Number(argument & 0xffffffffn))
    this.at += 9
  }

  /** A head whose argument is a safe integer. */
  private head(major: number, argument: number): void {
    this.reserve(9)
    const { buffer, at } = this
    const kind = major << 5
    if (argument < 24) {
      buffer[at] = kind | argument
      this.at = at + 1
    } else if (argument < 0x100) {
      buffer[at] = kind | 24
      buffer[at + 1] = argument
      this.at = at + 2
    } else if (argument < 0x10000) {
      buffer[at] = kind | 25
      buffer[at + 1] = argument >> 8
      buffer[at + 2] = argument
      this.at = at + 3
    } else if (argument < 0x100000000) {
      buffer[at] = kind | 26
      this.word(at + 1, argument)
      this.at = at + 5
    } else {
      buffer[at] = kind | 27
      this.word(at + 1, Math.floor(argument / 0x100000000))
      this.word(at + 5, argument >>> 0)
      this.at = at + 9
    }
  }

  private word(at: number, value: number): void {
    const { buffer } = this
    buffer[at] = value >>> 24
    buffer[at + 1] = value >>> 16
    buffer[at + 2] = value >>> 8
    buffer[at + 3] = value
  }

  private byte(value: number): void {
    this.reserve(1)
    this.buffer[this.at++] = value
  }

  private utf8(value: string): void {
    // An encoder would write U+FFFD instead, and two texts would share an encoding.
    if (!value.isWellFormed()) throw new CodecError('UNSUPPORTED', 'a text has half a surrogate pair')
    const bytes = encoder.encode(value)
    this.head(3, bytes.length)
    this.raw(bytes)
  }

  private reserve(more: number): void {
    const need = this.at + more
    if (need <= this.buffer.length) return
    const larger = new Uint8Array(Math.max(need, 2 * this.buffer.length))
    larger.set(this.buffer.subarray(0, this.at))
    this.buffer = larger
  }
}

function isList(value: object): value is readonly CborValue[] {
  return Array.isArray(value)
}

/** Sorts by the encoded key: shorter UTF-8 first, then byte by byte. */
function sortKeys(keys: string[]): void {
  // Keys of a decoded map are in order already, and mostly ASCII, where UTF-16 order is UTF-8 order.
  let sorted = true
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    if (!isAscii(key)) {
      sortByBytes(keys)
      return
    }
    if (i > 0 && compareAscii(keys[i - 1]!, key) > 0) sorted = false
  }
  if (!sorted) keys.sort(compareAscii)
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

function compareAscii(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1)
}

function sortByBytes(keys: string[]): void {
  const encoded = new Map(keys.map((key) => [key, encoder.encode(key)] as const))
  keys.sort((a, b) => {
    const left = encoded.get(a)!
    const right = encoded.get(b)!
    return left.length - right.length || compare(left, right)
  })
}
