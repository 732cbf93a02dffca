import { type CborValue, Reader, STATUS, type Writer } from '../../../protocol/index.ts'

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

/** Writes CBOR [id, statuses, fee, [[action, code, message]...]]. */
export function writeReceipt(writer: Writer, receipt: Receipt): void {
  writer.arrayHeader(4)
  writer.bytes(receipt.id)
  writer.bytes(receipt.statuses)
  writer.uint(receipt.fee)
  writer.arrayHeader(receipt.errors.length)
  for (const error of receipt.errors) {
    writer.arrayHeader(3)
    writer.uint(error.action)
    writer.text(error.code)
    writer.text(error.message)
  }
}

/** Reads the receipt at the reader's place. @throws CodecError */
export function readReceipt(reader: Reader): Receipt {
  reader.arrayOf(4)
  const id = reader.bytesOf(32)
  const statuses = reader.bytes()
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

/** What kind of message an outcome is about. */
export const MESSAGE_KIND = { ACTION: 0, BOUNCE: 1, SEND: 2 } as const

/** What became of one message of a transaction in another block than the transaction's own. */
export interface MessageOutcome {
  readonly action: number
  readonly kind: number
  /** DONE or REFUSED. */
  readonly status: number
  readonly code: string
  readonly message: string
}

/** CBOR value of outcomes, as `outcome.detail` holds them. */
export const outcomesValue = (outcomes: readonly MessageOutcome[]): CborValue =>
  outcomes.map((outcome) => [outcome.action, outcome.kind, outcome.status, outcome.code, outcome.message])

/** Reads `outcome.detail`. @throws CodecError */
export function readOutcomes(bytes: Uint8Array): MessageOutcome[] {
  const reader = new Reader(bytes)
  const count = reader.arrayHeader()
  const outcomes: MessageOutcome[] = []
  for (let i = 0; i < count; i++) {
    reader.arrayOf(5)
    outcomes.push({
      action: reader.uint(),
      kind: reader.uint(2),
      status: reader.uint(STATUS.REFUSED),
      code: reader.text(),
      message: reader.text(),
    })
  }
  return outcomes
}

function readError(reader: Reader): ActionError {
  reader.arrayOf(3)
  return { action: reader.uint(), code: reader.text(), message: reader.text() }
}
