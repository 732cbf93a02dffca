import { TransactionError } from './errors.ts'
import { SIGNED_HEAD, type TransactionFields } from './transaction.ts'
import { decodeUnsigned, refusal } from './transaction-reader.ts'
import { VALUE_DEPTH } from './value.ts'
import { Writer } from './writer.ts'

const writer = new Writer(4096)

/**
 * The CBOR of the ten items that are signed.
 * @throws TransactionError MALFORMED or TOO_LARGE when a field is out of its range: no node would take it.
 */
export function encodeUnsigned(fields: TransactionFields): Uint8Array {
  const unsigned = write(fields)
  // The reader knows every range: what it takes, every node takes.
  decodeUnsigned(unsigned)
  return unsigned
}

/**
 * The wire form: the ten items and the signature.
 * @param unsigned as `encodeUnsigned` gives it
 * @param signature 64 bytes over `signingBytes(unsigned)`
 * @throws TransactionError MALFORMED for a signature of another length.
 */
export function encodeTransaction(unsigned: Uint8Array, signature: Uint8Array): Uint8Array {
  if (signature.length !== 64) {
    throw new TransactionError('MALFORMED', `a signature has 64 bytes, not ${signature.length}`)
  }
  const wire = new Uint8Array(unsigned.length + 66)
  wire.set(unsigned)
  wire[0] = SIGNED_HEAD
  wire[unsigned.length] = 0x58
  wire[unsigned.length + 1] = 64
  wire.set(signature, unsigned.length + 2)
  return wire
}

function write(fields: TransactionFields): Uint8Array {
  try {
    writer.reset()
    writer.arrayHeader(10)
    writer.uint(1)
    writer.bytes(fields.network)
    writer.uint(fields.realm)
    writer.bytes(fields.sender)
    writer.bytes(fields.key)
    writer.uint(fields.lane)
    writer.uint(fields.nonce)
    writer.uint(fields.validUntil)
    writer.uint(fields.maxFee)
    writer.arrayHeader(fields.actions.length)
    for (const action of fields.actions) {
      writer.arrayHeader(5)
      writer.bytes(action.to)
      writer.uint(action.realm)
      writer.text(action.call)
      writer.value(action.args, VALUE_DEPTH)
      writer.uint(action.value)
    }
    return writer.finish()
  } catch (error) {
    throw refusal(error)
  }
}
