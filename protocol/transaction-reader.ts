import { equal } from './bytes.ts'
import { CodecError, TransactionError } from './errors.ts'
import { Reader } from './reader.ts'
import {
  type Action,
  idOfItems,
  MAX_ACTIONS,
  MAX_CALL_BYTES,
  MAX_LANE,
  MAX_REALM,
  MAX_TRANSACTION_BYTES,
  type Transaction,
  type UnsignedTransaction,
} from './transaction.ts'
import { VALUE_DEPTH } from './value.ts'

export interface DecodeOptions {
  /** When given, the only network that is taken. */
  readonly network?: Uint8Array
  /** The transaction's id, where it is known already: it is not hashed again. */
  readonly id?: Uint8Array
}

const NO_SIGNATURE = new Uint8Array(0)

/**
 * Reads a signed transaction. Its byte strings are views of `wire`, which must not change meanwhile; only `id` is new.
 * The signature is not checked.
 * @throws TransactionError TOO_LARGE, MALFORMED, NOT_CANONICAL or WRONG_NETWORK.
 */
export function decodeTransaction(wire: Uint8Array, options?: DecodeOptions): Transaction {
  checkSize(wire.length)
  try {
    return read(wire, true, options)
  } catch (error) {
    throw refusal(error)
  }
}

/**
 * Reads the ten items of a transaction that nobody has signed.
 * @throws TransactionError as `decodeTransaction`.
 */
export function decodeUnsigned(unsigned: Uint8Array, options?: DecodeOptions): UnsignedTransaction {
  // The signature to come takes 66 bytes.
  checkSize(unsigned.length + 66)
  try {
    return read(unsigned, false, options)
  } catch (error) {
    throw refusal(error)
  }
}

/** What a failure to read or write the CBOR of a transaction is answered with. */
export function refusal(error: unknown): unknown {
  if (!(error instanceof CodecError)) return error
  const code = error.code === 'UNSUPPORTED' ? 'MALFORMED' : error.code
  return new TransactionError(code, `not a transaction: ${error.message}`, { cause: error })
}

function read(bytes: Uint8Array, signed: boolean, options: DecodeOptions | undefined): Transaction {
  const reader = new Reader(bytes)
  reader.arrayOf(signed ? 11 : 10)
  if (reader.uint() !== 1) throw new TransactionError('MALFORMED', 'the first item is the format version, 1')
  const network = readNetwork(reader, options?.network)
  const realm = reader.uint(MAX_REALM)
  const sender = reader.bytesOf(32)
  const signer = reader.bytesOf(32)
  const lane = reader.uint(MAX_LANE)
  const nonce = reader.uint()
  const validUntil = reader.uint()
  const maxFee = reader.amount()
  const actions = readActions(reader)
  const items = bytes.subarray(1, reader.offset)
  const signature = signed ? reader.bytesOf(64) : NO_SIGNATURE
  reader.done()
  const key = equal(sender, signer) ? sender : signer
  const id = options?.id ?? idOfItems(items)
  return { network, realm, sender, key, lane, nonce, validUntil, maxFee, actions, signature, items, id }
}

function readNetwork(reader: Reader, only: Uint8Array | undefined): Uint8Array {
  const network = reader.bytesOf(32)
  if (only === undefined) return network
  if (!equal(network, only)) {
    throw new TransactionError('WRONG_NETWORK', 'signed for another network: sign it with the id of this one')
  }
  return only
}

function readActions(reader: Reader): Action[] {
  const count = reader.arrayHeader()
  if (count < 1 || count > MAX_ACTIONS) {
    throw new TransactionError('MALFORMED', `1 to ${MAX_ACTIONS} actions are expected, not ${count}`)
  }
  const actions: Action[] = []
  for (let i = 0; i < count; i++) {
    reader.arrayOf(5)
    actions.push({
      to: reader.bytesOf(32),
      realm: reader.uint(MAX_REALM),
      call: reader.text(MAX_CALL_BYTES),
      args: reader.map(VALUE_DEPTH),
      value: reader.amount(),
    })
  }
  return actions
}

function checkSize(length: number): void {
  if (length > MAX_TRANSACTION_BYTES) {
    throw new TransactionError('TOO_LARGE', `a transaction has at most ${MAX_TRANSACTION_BYTES} bytes, not ${length}`)
  }
}
