import { Reader } from './reader.ts'
import type { CborValue } from './value.ts'
import { Writer } from './writer.ts'

let spare: Writer | undefined = new Writer()

/**
 * The one canonical encoding of a value, in a new array.
 * @throws CodecError UNSUPPORTED for what has none: fractions, undefined, class instances, nesting beyond 32.
 */
export function encode(value: CborValue): Uint8Array {
  // An object's getter could call encode again: the writer is away while it is used.
  const writer = spare ?? new Writer()
  spare = undefined
  try {
    writer.value(value)
    return writer.finish()
  } finally {
    writer.reset()
    spare = writer
  }
}

/**
 * The value of canonical CBOR. Its byte strings are views of `bytes`: copy what is to outlive them.
 * `encode(decode(bytes))` equals `bytes`.
 * @throws CodecError MALFORMED or NOT_CANONICAL.
 */
export function decode(bytes: Uint8Array): CborValue {
  const reader = new Reader(bytes)
  const value = reader.value()
  reader.done()
  return value
}
