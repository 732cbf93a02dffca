import { cellPath, decode, Reader, VALUE_DEPTH, Writer } from '../../../protocol/index.ts'
import { type AccountState, accountDepositBytes, accountState, accountValue } from './account.ts'

/** The module whose cells are accounts; a cell that only ever received coins is one too. */
export const ACCOUNT = 'account'

const NULL_VALUE = Uint8Array.of(0xf6)
const NO_ACCOUNT: AccountState = { lanes: [], keys: [] }

/**
 * A cell in memory. The executor changes a clone of it, once a block, so that the committed version stays readable.
 * Module values stay encoded: a module gets a fresh decoding each time and can corrupt nothing by changing it.
 */
export interface LedgerCell {
  readonly id: Uint8Array
  /** `id` as a map key. */
  readonly key: string
  readonly path: Uint8Array
  owner: string
  /** Spendable: the deposit is held apart. */
  balance: bigint
  /** CBOR of the value; for an account it is made from `account` when the block is sealed. */
  value: Uint8Array
  /** Lanes and keys, for accounts. */
  account: AccountState
  /** Bytes that the deposit pays for. */
  depositBytes: number
  /** The block that this clone belongs to. */
  block: number
}

/** 32 bytes as a short string: what the maps are keyed by. */
export function idKey(id: Uint8Array): string {
  // latin1 keeps one character a byte: half as long as hex to make and to hash.
  return Buffer.prototype.latin1Slice.call(id, 0, id.length)
}

/** A cell that does not exist yet: an account that nobody used. */
export function newCell(id: Uint8Array, path: Uint8Array, block: number): LedgerCell {
  return {
    id: id.slice(),
    key: idKey(id),
    path,
    owner: ACCOUNT,
    balance: 0n,
    value: NULL_VALUE,
    account: NO_ACCOUNT,
    depositBytes: 0,
    block,
  }
}

/** True if no module and no signature ever used it; others may still have sent coins to it. */
export const isNeverUsed = (cell: LedgerCell): boolean => cell.owner === ACCOUNT && cell.account.lanes.length === 0

/** True if nothing is left of it, so that it leaves the state. */
export const isEmpty = (cell: LedgerCell): boolean => cell.balance === 0n && isNeverUsed(cell)

const writer = new Writer(1024)

/** The record of a cell, CBOR[id, owner, balance, value]: what is stored, and what its value hash is the hash of. */
export function sealRecord(cell: LedgerCell): Uint8Array {
  writer.reset()
  writeRecord(writer, cell)
  return writer.finish()
}

/** Writes a cell's record. */
export function writeRecord(to: Writer, cell: LedgerCell): void {
  to.arrayHeader(4)
  to.bytes(cell.id)
  to.text(cell.owner)
  to.uint(cell.balance)
  if (cell.owner === ACCOUNT && cell.account !== NO_ACCOUNT) to.value(accountValue(cell.account))
  else to.raw(cell.value)
}

/** A cell read from its record. @throws CodecError if the record is damaged. */
export function openRecord(record: Uint8Array, path?: Uint8Array): LedgerCell {
  const reader = new Reader(record)
  reader.arrayOf(4)
  const id = reader.bytesOf(32)
  const owner = reader.text()
  const balance = reader.amount()
  const start = reader.offset
  const value = reader.value(VALUE_DEPTH)
  reader.done()
  const isUsedAccount = owner === ACCOUNT && value !== null
  const account = isUsedAccount ? accountState(value) : NO_ACCOUNT
  const bytes = record.subarray(start)
  return {
    id,
    key: idKey(id),
    path: path ?? cellPath(id),
    owner,
    balance,
    value: isUsedAccount ? NULL_VALUE : bytes,
    account,
    depositBytes: depositBytes(owner, bytes, account),
    block: -1,
  }
}

/** Bytes that a deposit pays for: a module's whole value, an account's extra lanes and keys. */
export function depositBytes(owner: string, value: Uint8Array, account: AccountState): number {
  if (owner !== ACCOUNT) return value.length
  return account === NO_ACCOUNT ? 0 : accountDepositBytes(account)
}

/** The value as a module or a reader sees it: decoded afresh. */
export function cellValue(cell: LedgerCell): unknown {
  if (cell.owner === ACCOUNT && cell.account !== NO_ACCOUNT) return accountValue(cell.account)
  return decode(cell.value)
}
