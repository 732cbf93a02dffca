import { sha256 } from '#sha256'
import { equal } from './bytes.ts'
import { domain } from './domain.ts'
import { CodecError, TransactionError } from './errors.ts'
import { Reader } from './reader.ts'
import {
  type Action,
  MAX_ACTIONS,
  MAX_CALL_BYTES,
  MAX_LANE,
  MAX_REALM,
  MAX_TRANSACTION_BYTES,
  signingBytes,
  type Transaction,
  type UnsignedTransaction,
} from './transaction.ts'
import { VALUE_DEPTH } from './value.ts'

/** `network`: when given, the only network that is taken. */
export interface DecodeOptions {
  readonly network?: Uint8Array
}

const TEN_ITEMS = 0x8a
const ID = domain('id')
const scratch = new Uint8Array(1024)
const NO_SIGNATURE = new Uint8Array(0)

/**
 * Reads a signed transaction. Its byte strings are views of `wire` (which must not change meanwhile), but for `id`,
 * `unsigned` and `signingBytes`.
 * The signature is not checked.
 * @throws TransactionError TOO_LARGE, MALFORMED, NOT_CANONICAL or WRONG_NETWORK.
 */
export function decodeTransaction(wire: Uint8Array, options?: DecodeOptions): Transaction {
  checkSize(wire.length)
  try {
    return read(wire, true, options?.network)
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
    return read(unsigned, false, options?.network)
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

function read(bytes: Uint8Array, signed: boolean, only: Uint8Array | undefined): Transaction {
  const reader = new Reader(bytes)
  reader.arrayOf(signed ? 11 : 10)
  if (reader.uint() !== 1) throw new TransactionError('MALFORMED', 'the first item is the format version, 1')
  return new ReadTransaction(reader, signed, only)
}

class ReadTransaction implements Transaction {
  readonly network: Uint8Array
  readonly realm: number
  readonly sender: Uint8Array
  readonly key: Uint8Array
  readonly lane: number
  readonly nonce: number
  readonly validUntil: number
  readonly maxFee: bigint
  readonly actions: readonly Action[]
  readonly signature: Uint8Array
  readonly id: Uint8Array
  /** The ten items, under a head that may announce eleven. */
  private readonly items: Uint8Array

  /** `reader` stands behind the version. */
  constructor(reader: Reader, signed: boolean, only: Uint8Array | undefined) {
    this.network = readNetwork(reader, only)
    this.realm = reader.uint(MAX_REALM)
    this.sender = reader.bytesOf(32)
    const key = reader.bytesOf(32)
    this.key = equal(key, this.sender) ? this.sender : key
    this.lane = reader.uint(MAX_LANE)
    this.nonce = reader.uint()
    this.validUntil = reader.uint()
    this.maxFee = reader.amount()
    this.actions = readActions(reader)
    this.items = reader.input.subarray(0, reader.offset)
    this.signature = signed ? reader.bytesOf(64) : NO_SIGNATURE
    reader.done()
    this.id = idOf(this.items)
  }

  // Made when asked for: most readers need only the id, and an allocation costs half of what all the reading does.
  get unsigned(): Uint8Array {
    const unsigned = this.items.slice()
    unsigned[0] = TEN_ITEMS
    return unsigned
  }

  get signingBytes(): Uint8Array {
    const signing = signingBytes(this.items)
    signing[signing.length - this.items.length] = TEN_ITEMS
    return signing
  }
}

/** The id of the transaction of these ten items, whatever their head announces. */
function idOf(items: Uint8Array): Uint8Array {
  const length = ID.length + items.length
  const buffer = length <= scratch.length ? scratch : new Uint8Array(length)
  buffer.set(ID)
  buffer.set(items, ID.length)
  buffer[ID.length] = TEN_ITEMS
  return sha256(buffer.subarray(0, length))
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
