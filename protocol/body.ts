import { taggedHash } from './domain.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

const writer = new Writer()

/** The body of a block: a CBOR array of its transactions, each inline as it came over the wire. */
export function encodeBody(wires: readonly Uint8Array[]): Uint8Array {
  writer.reset()
  writer.arrayHeader(wires.length)
  for (const wire of wires) writer.raw(wire)
  return writer.finish()
}

/**
 * The transactions of a body, as views of it. Only their bounds are found: `decodeTransaction` checks each.
 * @throws CodecError MALFORMED or NOT_CANONICAL.
 */
export function decodeBody(body: Uint8Array): Uint8Array[] {
  const reader = new Reader(body)
  const count = reader.arrayHeader()
  const wires: Uint8Array[] = []
  for (let i = 0; i < count; i++) {
    const start = reader.offset
    reader.skip()
    wires.push(body.subarray(start, reader.offset))
  }
  reader.done()
  return wires
}

/** What a header commits of a body. */
export function bodyHash(body: Uint8Array): Uint8Array {
  return taggedHash('body', body)
}
