import { CodecError } from './errors.ts'
import { Reader } from './reader.ts'
import { MAX_CALL_BYTES, MAX_REALM } from './transaction.ts'
import { type CborMap, VALUE_DEPTH } from './value.ts'
import { Writer } from './writer.ts'

/** A call on its way from one cell to another, or the return of one that was refused. */
export interface Message {
  readonly kind: 'call' | 'bounce'
  /** Id of the transaction it comes from, 32 bytes; empty if none. */
  readonly origin: Uint8Array
  /** Which action of that transaction, from 0. */
  readonly action: number
  /** The sending cell, 32 bytes. */
  readonly from: Uint8Array
  readonly fromRealm: number
  /** The sending module. */
  readonly module: string
  /** The receiving cell, 32 bytes. */
  readonly to: Uint8Array
  readonly realm: number
  /** `module.call` */
  readonly call: string
  readonly args: CborMap
  /** In the smallest unit, below 2^128. */
  readonly value: bigint
  /** The account that paid, 32 bytes: where the value goes if the sending cell is gone. */
  readonly payer: Uint8Array
  readonly payerRealm: number
  /** Why a bounced call was refused; empty on a call. */
  readonly code: string
}

/** A message that leaves its shard. */
export interface OutItem {
  /** Realm of the destination. */
  readonly realm: number
  /** `cellPath` of the destination, 32 bytes. */
  readonly destPath: Uint8Array
  /** Order of emission in the block. */
  readonly index: number
  readonly message: Message
}

const writer = new Writer()

/** CBOR of the message's fourteen items. */
export function encodeMessage(message: Message): Uint8Array {
  writer.reset()
  writeMessage(writer, message)
  return writer.finish()
}

/**
 * The message of its CBOR; byte strings are views.
 * @throws CodecError MALFORMED or NOT_CANONICAL.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  const reader = new Reader(bytes)
  const message = readMessage(reader)
  reader.done()
  return message
}

/** CBOR[realm, destPath, index, message], the message nested as an array. */
export function encodeOutItem(item: OutItem): Uint8Array {
  writer.reset()
  writeOutItem(writer, item)
  return writer.finish()
}

/** Writes an out item as part of something larger. */
function writeOutItem(to: Writer, item: OutItem): void {
  to.arrayHeader(4)
  to.uint(item.realm)
  to.bytes(item.destPath)
  to.uint(item.index)
  writeMessage(to, item.message)
}

/**
 * The out item of its CBOR; byte strings are views.
 * @throws CodecError MALFORMED or NOT_CANONICAL.
 */
export function decodeOutItem(bytes: Uint8Array): OutItem {
  const reader = new Reader(bytes)
  reader.arrayOf(4)
  const item = {
    realm: reader.uint(MAX_REALM),
    destPath: reader.bytesOf(32),
    index: reader.uint(),
    message: readMessage(reader),
  }
  reader.done()
  return item
}

/** Writes a message as part of something larger. */
export function writeMessage(to: Writer, message: Message): void {
  to.arrayHeader(14)
  to.uint(message.kind === 'call' ? 0 : 1)
  to.bytes(message.origin)
  to.uint(message.action)
  to.bytes(message.from)
  to.uint(message.fromRealm)
  to.text(message.module)
  to.bytes(message.to)
  to.uint(message.realm)
  to.text(message.call)
  to.value(message.args, VALUE_DEPTH)
  to.uint(message.value)
  to.bytes(message.payer)
  to.uint(message.payerRealm)
  to.text(message.code)
}

/** Reads a message as part of something larger. */
export function readMessage(reader: Reader): Message {
  reader.arrayOf(14)
  const kind = reader.uint(1) === 0 ? 'call' : 'bounce'
  const origin = reader.bytes()
  if (origin.length !== 0 && origin.length !== 32) {
    throw new CodecError('MALFORMED', 'an origin is a transaction id of 32 bytes, or empty')
  }
  const message: Message = {
    kind,
    origin,
    action: reader.uint(),
    from: reader.bytesOf(32),
    fromRealm: reader.uint(MAX_REALM),
    module: reader.text(MAX_CALL_BYTES),
    to: reader.bytesOf(32),
    realm: reader.uint(MAX_REALM),
    call: reader.text(MAX_CALL_BYTES),
    args: reader.map(VALUE_DEPTH),
    value: reader.amount(),
    payer: reader.bytesOf(32),
    payerRealm: reader.uint(MAX_REALM),
    code: reader.text(MAX_CALL_BYTES),
  }
  if ((kind === 'bounce') !== (message.code !== '')) {
    throw new CodecError('MALFORMED', 'a bounce says why by its code, and a call has none')
  }
  return message
}
