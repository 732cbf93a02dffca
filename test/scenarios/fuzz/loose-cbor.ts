import { type CborValue, concat } from '../../../protocol/index.ts'

/** Which head of a document is spelled otherwise than it must be, and how. */
export interface Twist {
  /** Counted from 0 through the document. */
  readonly head: number
  /** A longer argument than needed; or no length at all and a break at the end (strings and lists only). */
  readonly how: 'longer' | 'indefinite'
}

const WIDTHS = [1, 2, 4, 8] as const
const BREAK = Uint8Array.of(0xff)

/** Writes CBOR as `encode` does, except for one head: the same value, spelled as no decoder here may take it. */
export class LooseWriter {
  /** Heads written so far. */
  heads = 0
  /** True once the twist was applied. */
  isTwisted = false
  readonly #twist: Twist | undefined

  constructor(twist?: Twist) {
    this.#twist = twist
  }

  write(value: CborValue): Uint8Array {
    if (value === null) return Uint8Array.of(0xf6)
    if (typeof value === 'boolean') return Uint8Array.of(value ? 0xf5 : 0xf4)
    if (typeof value === 'number' || typeof value === 'bigint') return this.#integer(BigInt(value))
    if (typeof value === 'string') return this.#string(3, new TextEncoder().encode(value))
    if (value instanceof Uint8Array) return this.#string(2, value)
    if (isList(value)) return this.#items(4, value.length, (write) => value.flatMap((item) => [write(item)]))
    const entries = Object.entries(value).map(([key, item]) => ({ key, item }))
    return this.#items(5, entries.length, (write) => entries.flatMap(({ key, item }) => [write(key), write(item)]))
  }

  #integer(value: bigint): Uint8Array {
    if (value < 0n) return this.#head(1, -1n - value)
    if (value < 1n << 64n) return this.#head(0, value)
    const hex = value.toString(16)
    const digits = Uint8Array.from(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'))
    return concat(this.#head(6, 2n), this.#string(2, digits))
  }

  #string(major: 2 | 3, bytes: Uint8Array): Uint8Array {
    if (!this.#isIndefinite()) return concat(this.#head(major, BigInt(bytes.length)), bytes)
    this.heads++
    const piece = new LooseWriter()
    return concat(Uint8Array.of((major << 5) | 31), piece.#head(major, BigInt(bytes.length)), bytes, BREAK)
  }

  #items(major: 4 | 5, length: number, write: (one: (value: CborValue) => Uint8Array) => Uint8Array[]): Uint8Array {
    const isIndefinite = this.#isIndefinite()
    if (isIndefinite) this.heads++
    const head = isIndefinite ? Uint8Array.of((major << 5) | 31) : this.#head(major, BigInt(length))
    const items = write((value) => this.write(value))
    return concat(head, ...items, ...(isIndefinite ? [BREAK] : []))
  }

  #isIndefinite(): boolean {
    if (this.#twist?.how !== 'indefinite' || this.#twist.head !== this.heads) return false
    this.isTwisted = true
    return true
  }

  #head(major: number, argument: bigint): Uint8Array {
    const isLonger = this.#twist?.how === 'longer' && this.#twist.head === this.heads
    this.heads++
    const shortest = argument < 24n ? -1 : WIDTHS.findIndex((width) => argument < 1n << BigInt(8 * width))
    const width = isLonger ? shortest + 1 : shortest
    // An argument of eight bytes has no longer form.
    if (width >= WIDTHS.length) return this.#spell(major, argument, shortest)
    if (isLonger) this.isTwisted = true
    return this.#spell(major, argument, width)
  }

  #spell(major: number, argument: bigint, width: number): Uint8Array {
    const bytes = WIDTHS[width]
    if (bytes === undefined) return Uint8Array.of((major << 5) | Number(argument))
    const digits = Array.from({ length: bytes }, (_, i) => Number((argument >> BigInt(8 * (bytes - 1 - i))) & 255n))
    return Uint8Array.of((major << 5) | (24 + width), ...digits)
  }
}

const isList = (value: CborValue): value is readonly CborValue[] => Array.isArray(value)
