import { CodecError } from './errors.ts'

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** 32 zero bytes: the hash of nothing. Never write to it. */
export const ZERO_HASH: Uint8Array = new Uint8Array(32)

/** Lower-case hex with a leading `0x`, as GraphQL's `Bytes` prints it. */
export function toHex(bytes: Uint8Array): string {
  let text = '0x'
  for (let i = 0; i < bytes.length; i++) text += HEX[bytes[i]!]!
  return text
}

/**
 * The bytes of hex in either case, with or without a leading `0x`.
 * @throws CodecError MALFORMED for an odd number of digits or anything that is not a hex digit.
 */
export function fromHex(text: string): Uint8Array {
  const start = text.startsWith('0x') ? 2 : 0
  const digits = text.length - start
  if (digits % 2 !== 0) throw new CodecError('MALFORMED', `hex has two digits a byte, this has ${digits} in all`)
  const bytes = new Uint8Array(digits / 2)
  for (let i = 0, at = start; i < bytes.length; i++, at += 2) {
    const byte = (digit(text.charCodeAt(at)) << 4) | digit(text.charCodeAt(at + 1))
    if (byte < 0) throw new CodecError('MALFORMED', `not a hex digit near position ${at}`)
    bytes[i] = byte
  }
  return bytes
}

function digit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const letter = code | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

/** All parts one after another, in a new array. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** True if both hold the same bytes. Not constant in time: for public values only. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Below, at or above zero as `a` sorts before, with or after `b`, byte by byte; a prefix sorts first. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Eight bytes, big-endian, of an integer from 0 to 2^64-1. */
export function u64be(value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}
