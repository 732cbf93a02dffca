import { encode, MAX_CELL_VALUE, Reader, VALUE_DEPTH } from '../../../protocol/index.ts'
import { CallError } from '../ledger/errors.ts'
import type { CellType } from '../ledger/module.ts'
import { ACCOUNT, depositBytes, isNeverUsed, type LedgerCell } from './ledger-cell.ts'

const NULL_VALUE = Uint8Array.of(0xf6)

/** A module's value as its cell keeps it. @throws CallError VALUE_TOO_LARGE; whatever the type's schema finds */
export function encodeValue<T>(type: CellType<T>, value: T): Uint8Array {
  const encoded = encodeReadable(type.schema.parse(value))
  if (encoded.length <= MAX_CELL_VALUE) return encoded
  throw new CallError('VALUE_TOO_LARGE', `a cell holds at most ${MAX_CELL_VALUE} bytes, not ${encoded.length}`)
}

/**
 * CBOR of what a module gives. What cannot be read again (too deep, or an object that changed while it was read) must
 * not get into the state. @throws CodecError
 */
export function encodeReadable(value: unknown): Uint8Array {
  const encoded = encode(value as never)
  const reader = new Reader(encoded)
  reader.value(VALUE_DEPTH)
  reader.done()
  return encoded
}

/**
 * Replaces a cell's value, which its balance pays the deposit for, and its owner.
 * @throws CallError DEPOSIT_REQUIRED; nothing is changed then
 */
export function replaceValue(cell: LedgerCell, encoded: Uint8Array, depositPerByte: bigint, owner = cell.owner): void {
  holdDeposit(cell, depositBytes(owner, encoded, cell.account), depositPerByte)
  cell.owner = owner
  cell.value = encoded
}

/** Clears a cell's value: no module owns it any more, and its deposit is in its balance. */
export function clearValue(cell: LedgerCell, depositPerByte: bigint): void {
  if (isNeverUsed(cell)) return
  replaceValue(cell, NULL_VALUE, depositPerByte)
  cell.owner = ACCOUNT
  cell.balance += depositPerByte * BigInt(cell.depositBytes)
  cell.depositBytes = 0
}

/** Holds a cell's deposit for so many bytes. @throws CallError DEPOSIT_REQUIRED */
export function holdDeposit(cell: LedgerCell, bytes: number, depositPerByte: bigint): void {
  const more = depositPerByte * BigInt(bytes - cell.depositBytes)
  if (more > cell.balance) {
    throw new CallError(
      'DEPOSIT_REQUIRED',
      `the cell's new size needs a deposit of ${more} more, it has ${cell.balance}`,
    )
  }
  cell.balance -= more
  cell.depositBytes = bytes
}
