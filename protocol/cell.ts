import { sha256 } from '#sha256'
import { taggedHash } from './domain.ts'
import { Reader } from './reader.ts'
import { type CborValue, VALUE_DEPTH } from './value.ts'
import { Writer } from './writer.ts'

/** The most bytes that a cell's encoded value may have. The ledger enforces it, not the codec. */
export const MAX_CELL_VALUE = 65_536

/** A unit of state. An account is a cell whose id is its ed25519 public key, owned by the module `account`. */
export interface Cell {
  /** 32 bytes. */
  readonly id: Uint8Array
  /** The module that may change it. */
  readonly owner: string
  /** In the smallest unit, below 2^128. */
  readonly balance: bigint
  /** Nested at most VALUE_DEPTH deep. */
  readonly value: CborValue
}

const writer = new Writer()

/** The record of a cell, CBOR[id, owner, balance, value]: what is stored, and what `valueHash` hashes. */
export function encodeCell(cell: Cell): Uint8Array {
  writer.reset()
  writeCell(writer, cell)
  return writer.finish()
}

/** Writes the record of a cell as part of something larger. */
function writeCell(to: Writer, cell: Cell): void {
  to.arrayHeader(4)
  to.bytes(cell.id)
  to.text(cell.owner)
  to.uint(cell.balance)
  to.value(cell.value, VALUE_DEPTH)
}

/**
 * The cell of a record; id and byte strings are views of it.
 * @throws CodecError MALFORMED or NOT_CANONICAL.
 */
export function decodeCell(record: Uint8Array): Cell {
  const reader = new Reader(record)
  reader.arrayOf(4)
  const cell = {
    id: reader.bytesOf(32),
    owner: reader.text(),
    balance: reader.amount(),
    value: reader.value(VALUE_DEPTH),
  }
  reader.done()
  return cell
}

/** What the trie holds of a cell: SHA-256 of its record. */
export function valueHash(record: Uint8Array): Uint8Array {
  return sha256(record)
}

/**
 * The id of a cell that is not an account: nobody else can make the same one.
 * @param module whose cell it is
 * @param creator 32 bytes: who made it
 * @param salt any bytes, unlike for each cell of this creator
 */
export function cellId(module: string, creator: Uint8Array, salt: Uint8Array): Uint8Array {
  writer.reset()
  writer.arrayHeader(3)
  writer.text(module)
  writer.bytes(creator)
  writer.bytes(salt)
  return taggedHash('cell', writer.view())
}

/** Where a cell lies in its realm: the 32 bytes whose first bits name its shard, and its key in the state trie. */
export function cellPath(id: Uint8Array): Uint8Array {
  return taggedHash('path', id)
}
