import { CodecError } from './errors.ts'

// A byte order mark is a character like any other here: dropping it would give one text two encodings.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

// Call and module names come again and again: short ASCII texts are found by their bytes instead of being made anew.
const SHORT = 32
const SLOTS = 512
const interned: string[] = new Array<string>(SLOTS).fill('')

/**
 * The text of UTF-8 bytes.
 * @throws CodecError MALFORMED unless they are valid UTF-8.
 */
export function readText(input: Uint8Array, start: number, end: number): string {
  const length = end - start
  if (length > SHORT) return decodeUtf8(input, start, end)
  let hash = length
  for (let i = start; i < end; i++) {
    const byte = input[i]!
    if (byte > 0x7f) return decodeUtf8(input, start, end)
    hash = (Math.imul(hash, 31) + byte) | 0
  }
  const slot = hash & (SLOTS - 1)
  const known = interned[slot]!
  if (known.length === length && sameAscii(known, input, start)) return known
  const text = asciiText(input, start, end)
  interned[slot] = text
  return text
}

function sameAscii(text: string, input: Uint8Array, start: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== input[start + i]) return false
  return true
}

function asciiText(input: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let i = start; i < end; i++) text += String.fromCharCode(input[i]!)
  return text
}

function decodeUtf8(input: Uint8Array, start: number, end: number): string {
  try {
    return decoder.decode(input.subarray(start, end))
  } catch {
    throw new CodecError('MALFORMED', 'a text is not valid UTF-8')
  }
}
