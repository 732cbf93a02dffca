import { taggedHash } from './domain.ts'
import { CodecError } from './errors.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

/** How an action of an included transaction fared in its block. */
export const STATUS = { DONE: 0, REFUSED: 1, SENT: 2 } as const

/** What a block commits of a transaction. */
export interface TxItem {
  /** 32 bytes. */
  readonly id: Uint8Array
  /** One byte an action, a `STATUS` each. */
  readonly statuses: Uint8Array
}

const writer = new Writer()

/** CBOR[id, statuses]. */
export function encodeTxItem(item: TxItem): Uint8Array {
  writer.reset()
  writer.arrayHeader(2)
  writer.bytes(item.id)
  writer.bytes(item.statuses)
  return writer.finish()
}

/**
 * The item of its CBOR; both fields are views.
 * @throws CodecError MALFORMED or NOT_CANONICAL.
 */
export function decodeTxItem(bytes: Uint8Array): TxItem {
  const reader = new Reader(bytes)
  reader.arrayOf(2)
  const item = { id: reader.bytesOf(32), statuses: reader.bytes() }
  reader.done()
  for (const status of item.statuses) {
    if (status > STATUS.SENT) throw new CodecError('MALFORMED', `${status} is no status of an action`)
  }
  return item
}

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
