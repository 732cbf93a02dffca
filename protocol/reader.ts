import { CodecError } from './errors.ts'
import { readText } from './text.ts'
import { type CborValue, MAX_DEPTH } from './value.ts'

/**
 * A cursor over canonical CBOR (RFC 8949, 4.2.1). Every method takes one item and moves behind it; what is not spelled
 * canonically is refused while reading, so nothing has to be encoded again to compare.
 * Byte strings are views of the input, never copies.
 *
 * Every method throws CodecError MALFORMED or NOT_CANONICAL, and nothing else.
 */
export class Reader {
  readonly input: Uint8Array
  /** Where the next item begins. */
  offset: number
  // The two halves of the last 8-byte argument, for what a double cannot hold.
  private high = 0
  private low = 0

  constructor(input: Uint8Array, offset = 0) {
    this.input = input
    this.offset = offset
  }

  /** Checks that nothing follows. */
  done(): void {
    if (this.offset !== this.input.length) {
      throw new CodecError('MALFORMED', `${this.input.length - this.offset} bytes follow the last item; remove them`)
    }
  }

  /** The number of items of an array, which follow. */
  arrayHeader(): number {
    return this.count(this.argument(4), 1)
  }

  /** An array's head that must announce exactly `length` items. */
  arrayOf(length: number): void {
    const found = this.arrayHeader()
    if (found !== length) throw new CodecError('MALFORMED', `an array of ${length} items is expected, not of ${found}`)
  }

  /** An unsigned integer from 0 to `max` (2^53-1 if absent). */
  uint(max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.argument(0)
    if (value > max) throw new CodecError('MALFORMED', `an integer from 0 to ${max} is expected`)
    return value
  }

  /** An amount: an unsigned integer below 2^128. */
  amount(): bigint {
    if (this.input[this.offset] !== 0xc2) return this.widen(this.argument(0))
    const value = this.bignum()
    if (value >> 128n !== 0n) throw new CodecError('MALFORMED', 'an amount is below 2^128')
    return value
  }

  /** A byte string of any length: a view of the input. */
  bytes(): Uint8Array {
    return this.take(this.argument(2))
  }

  /** A byte string of exactly `length` bytes: a view of the input. */
  bytesOf(length: number): Uint8Array {
    const found = this.argument(2)
    if (found !== length) throw new CodecError('MALFORMED', `${length} bytes are expected, not ${found}`)
    return this.take(length)
  }

  /** A text of at most `max` bytes of UTF-8. */
  text(max: number = Number.MAX_SAFE_INTEGER): string {
    const length = this.argument(3)
    if (length > max) throw new CodecError('MALFORMED', `a text of at most ${max} bytes is expected, not of ${length}`)
    const start = this.advance(length)
    return readText(this.input, start, start + length)
  }

  /** False if null is next, which is passed over; true if something else is. */
  optional(): boolean {
    if (this.input[this.offset] !== 0xf6) return true
    this.offset++
    return false
  }

  /** A map, its keys sorted; `levels` as in `value`. */
  map(levels: number = MAX_DEPTH): { [key: string]: CborValue } {
    const length = this.count(this.argument(5), 2)
    if (levels < 1) throw tooDeep()
    const map: { [key: string]: CborValue } = {}
    let previous = 0
    for (let i = 0; i < length; i++) {
      const start = this.offset
      const key = this.text()
      if (i > 0) this.checkOrder(previous, start)
      previous = start
      const value = this.value(levels - 1)
      if (key === '__proto__') {
        // Assigned, it would become the object's prototype instead of a key.
        Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true })
      } else map[key] = value
    }
    return map
  }

  /** Any one value, in which arrays and maps are nested at most `levels` deep. */
  value(levels: number = MAX_DEPTH): CborValue {
    const head = this.input[this.offset]
    if (head === undefined) throw truncated()
    switch (head >> 5) {
      case 0: {
        const value = this.argument(0)
        return value <= Number.MAX_SAFE_INTEGER ? value : this.widen(value)
      }
      case 1: {
        const value = this.argument(1)
        return value < Number.MAX_SAFE_INTEGER ? -1 - value : -1n - this.widen(value)
      }
      case 2:
        return this.bytes()
      case 3:
        return this.text()
      case 4: {
        const length = this.arrayHeader()
        if (levels < 1) throw tooDeep()
        const list: CborValue[] = []
        for (let i = 0; i < length; i++) list.push(this.value(levels - 1))
        return list
      }
      case 5:
        return this.map(levels)
      case 6:
        return this.bignum()
      default:
        this.offset++
        if (head === 0xf4) return false
        if (head === 0xf5) return true
        if (head === 0xf6) return null
        throw new CodecError('MALFORMED', 'no floats, undefined or other simple values: use integers, null or text')
    }
  }

  /**
   * Passes over one item of any kind and depth, checking lengths only: whoever reads it later checks the rest.
   * @param most how many items it may be made of, itself included: few bytes can take much memory once they are read
   */
  skip(most: number = Number.MAX_SAFE_INTEGER): void {
    let items = 1
    for (let passed = 1; items > 0; passed++) {
      if (passed > most) throw new CodecError('MALFORMED', `it is made of more than ${most} items`)
      items--
      const head = this.input[this.offset]
      if (head === undefined) throw truncated()
      const major = head >> 5
      const argument = this.argument(major)
      if (major === 2 || major === 3) this.advance(argument)
      else if (major === 4) items += this.count(argument, 1)
      else if (major === 5) items += 2 * this.count(argument, 2)
      else if (major === 6) items++
    }
  }

  /** A tag 2 bignum; smaller integers than 2^64 have a shorter spelling. */
  private bignum(): bigint {
    if (this.argument(6) !== 2) throw new CodecError('MALFORMED', 'the only tag known is 2, a positive bignum')
    const digits = this.bytes()
    if (digits.length < 9 || digits[0] === 0) {
      throw new CodecError('NOT_CANONICAL', 'a bignum is above 2^64-1 and has no leading zero')
    }
    let text = '0x'
    for (let i = 0; i < digits.length; i++) text += (digits[i]! + 256).toString(16).slice(1)
    return BigInt(text)
  }

  /** The exact value of the argument just read, which is a double. */
  private widen(argument: number): bigint {
    if (argument <= Number.MAX_SAFE_INTEGER) return BigInt(argument)
    return (BigInt(this.high) << 32n) | BigInt(this.low)
  }

  /** The argument of a head of this major type, inexact above 2^53 (then `high` and `low` hold it). */
  private argument(major: number): number {
    const head = this.input[this.offset]
    if (head === undefined) throw truncated()
    if (head >> 5 !== major) {
      throw new CodecError('MALFORMED', `${KINDS[major]} is expected at byte ${this.offset}, not ${KINDS[head >> 5]}`)
    }
    this.offset++
    const info = head & 31
    return info < 24 ? info : this.longArgument(info)
  }

  private longArgument(info: number): number {
    if (info > 27) {
      if (info === 31) throw new CodecError('NOT_CANONICAL', 'lengths are definite: write the length before the items')
      throw new CodecError('MALFORMED', 'a reserved length is not CBOR')
    }
    const { input } = this
    const at = this.advance(1 << (info - 24))
    let value = input[at]!
    let least = 24
    if (info === 25) {
      value = (value << 8) | input[at + 1]!
      least = 0x100
    } else if (info === 26) {
      value = word(input, at)
      least = 0x10000
    } else if (info === 27) {
      this.high = word(input, at)
      this.low = word(input, at + 4)
      value = this.high * 0x100000000 + this.low
      least = 0x100000000
    }
    if (value < least) throw new CodecError('NOT_CANONICAL', 'an integer or length is written in the fewest bytes')
    return value
  }

  /** A number of items that the rest of the input could hold, at this many bytes each at least. */
  private count(items: number, least: number): number {
    if (items * least > this.input.length - this.offset) throw truncated()
    return items
  }

  private take(length: number): Uint8Array {
    const start = this.advance(length)
    return this.input.subarray(start, start + length)
  }

  /** Moves on by `length` bytes and gives where they begin. */
  private advance(length: number): number {
    const start = this.offset
    if (length > this.input.length - start) throw truncated()
    this.offset = start + length
    return start
  }

  /** Checks that the encoded key at `previous` sorts before the one from `start` to the cursor. */
  private checkOrder(previous: number, start: number): void {
    const { input, offset } = this
    // Equal heads mean equal lengths, so a first difference is met before either key ends, or there is none.
    for (let a = previous, b = start; b < offset; a++, b++) {
      const difference = input[a]! - input[b]!
      if (difference < 0) return
      if (difference > 0) throw new CodecError('NOT_CANONICAL', 'map keys are sorted by the bytes of their encoding')
    }
    throw new CodecError('MALFORMED', 'a map has each key once')
  }
}

const KINDS: readonly string[] = [
  'an unsigned integer',
  'a negative integer',
  'a byte string',
  'a text',
  'an array',
  'a map',
  'a tag',
  'a simple value',
]

function word(input: Uint8Array, at: number): number {
  return ((input[at]! << 24) | (input[at + 1]! << 16) | (input[at + 2]! << 8) | input[at + 3]!) >>> 0
}

function truncated(): CodecError {
  return new CodecError('MALFORMED', 'the bytes end in the middle of an item')
}

function tooDeep(): CodecError {
  return new CodecError('MALFORMED', 'arrays and maps are nested too deep')
}
