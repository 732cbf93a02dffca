import { CodecError } from './errors.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

/** How an action of an included transaction fared in its block. */
export const STATUS = { DONE: 0, REFUSED: 1, SENT: 2 } as const

/** Why an action was refused. */
export interface ActionError {
  /** Index of the action in its transaction. */
  readonly action: number
  readonly code: string
  readonly message: string
}

/** What a block commits of one of its transactions: the leaf of `txRoot`. */
export interface Receipt {
  /** 32 bytes. */
  readonly id: Uint8Array
  /** A `STATUS` for each action, as far as this block went. */
  readonly statuses: Uint8Array
  /** What was charged, in the smallest unit. */
  readonly fee: bigint
  readonly errors: readonly ActionError[]
}

const writer = new Writer()

/** CBOR of a receipt. */
export function encodeReceipt(receipt: Receipt): Uint8Array {
  writer.reset()
  writeReceipt(writer, receipt)
  return writer.finish()
}

/** The receipt of its CBOR; byte strings are views. @throws CodecError MALFORMED or NOT_CANONICAL. */
export function decodeReceipt(bytes: Uint8Array): Receipt {
  const reader = new Reader(bytes)
  const receipt = readReceipt(reader)
  reader.done()
  return receipt
}

/** Writes CBOR [id, statuses, fee, [[action, code, message]...]]. */
export function writeReceipt(to: Writer, receipt: Receipt): void {
  to.arrayHeader(4)
  to.bytes(receipt.id)
  to.bytes(receipt.statuses)
  to.uint(receipt.fee)
  to.arrayHeader(receipt.errors.length)
  for (const error of receipt.errors) {
    to.arrayHeader(3)
    to.uint(error.action)
    to.text(error.code)
    to.text(error.message)
  }
}

/** Reads the receipt at the reader's place. @throws CodecError */
export function readReceipt(reader: Reader): Receipt {
  reader.arrayOf(4)
  const id = reader.bytesOf(32)
  const statuses = reader.bytes()
  for (const status of statuses) {
    if (status > STATUS.SENT) throw new CodecError('MALFORMED', `${status} is no status of an action`)
  }
  const fee = reader.amount()
  const count = reader.arrayHeader()
  const errors: ActionError[] = []
  for (let i = 0; i < count; i++) errors.push(readError(reader))
  return { id, statuses, fee, errors }
}

/** All receipts of a block, which stand one after the other. */
export function readReceipts(bytes: Uint8Array): Receipt[] {
  const reader = new Reader(bytes)
  const receipts: Receipt[] = []
  while (reader.offset < bytes.length) receipts.push(readReceipt(reader))
  return receipts
}

/** The receipts of a block as the encoded leaves of its `txRoot`. */
export function splitReceipts(bytes: Uint8Array): Uint8Array[] {
  const reader = new Reader(bytes)
  const leaves: Uint8Array[] = []
  while (reader.offset < bytes.length) {
    const start = reader.offset
    reader.skip()
    leaves.push(bytes.subarray(start, reader.offset))
  }
  return leaves
}

function readError(reader: Reader): ActionError {
  reader.arrayOf(3)
  return { action: reader.uint(), code: reader.text(), message: reader.text() }
}
