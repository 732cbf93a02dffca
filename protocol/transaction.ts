import { sha256 } from '#sha256'
import { concat } from './bytes.ts'
import { domain, taggedHash } from './domain.ts'
import type { CborMap } from './value.ts'

/** The most bytes of a signed transaction. */
export const MAX_TRANSACTION_BYTES = 65_536
/** The most actions under one signature. */
export const MAX_ACTIONS = 256
/** The most bytes of a call's name. */
export const MAX_CALL_BYTES = 64
/** The highest lane. */
export const MAX_LANE = 255
/** The highest realm (that of the root chain). */
export const MAX_REALM = 0xffffffff

/** One call to one cell, with the value that goes along. */
export interface Action {
  /** The cell that is called, 32 bytes. */
  readonly to: Uint8Array
  readonly realm: number
  /** `module.call` */
  readonly call: string
  readonly args: CborMap
  /** In the smallest unit, below 2^128. */
  readonly value: bigint
}

/** What a sender decides. */
export interface TransactionFields {
  /** Hash of the network's genesis document, 32 bytes. */
  readonly network: Uint8Array
  /** Realm of the sender's cell. */
  readonly realm: number
  /** The account that pays and acts, 32 bytes. */
  readonly sender: Uint8Array
  /** The ed25519 key that signs, 32 bytes: the sender itself or one of its session keys. */
  readonly key: Uint8Array
  /** 0 to 255. */
  readonly lane: number
  readonly nonce: number
  /** The last root height at which it may be included. */
  readonly validUntil: number
  /** The most it may cost beyond its values, in the smallest unit, below 2^128. */
  readonly maxFee: bigint
  /** 1 to 256. */
  readonly actions: readonly Action[]
}

/** A transaction as it was read, signed or not. */
export interface UnsignedTransaction extends TransactionFields {
  /** CBOR of the ten items that are signed, without the array head before them: a view of what was read. */
  readonly items: Uint8Array
  /** 32 bytes. Depends on the ten items alone, so no second signature makes a second id. */
  readonly id: Uint8Array
}

/** A signed transaction as it was read. Whether the signature holds is another question. */
export interface Transaction extends UnsignedTransaction {
  /** 64 bytes. */
  readonly signature: Uint8Array
}

/** The head of an array of ten: what is signed; and of eleven: what goes over the wire. */
export const UNSIGNED_HEAD = 0x8a
export const SIGNED_HEAD = 0x8b

const ID = domain('id')
const TX = domain('tx')
const scratch = new Uint8Array(1024)

/** The CBOR of the ten items that are signed, copied out of a transaction that was read. */
export function unsignedOf(transaction: Pick<UnsignedTransaction, 'items'>): Uint8Array {
  const { items } = transaction
  const unsigned = new Uint8Array(1 + items.length)
  unsigned[0] = UNSIGNED_HEAD
  unsigned.set(items, 1)
  return unsigned
}

/** What the signature of a transaction that was read is over: `deaios/tx/1\0` and the unsigned bytes, in a new array. */
export function signingBytesOf(transaction: Pick<UnsignedTransaction, 'items'>): Uint8Array {
  const { items } = transaction
  const signing = new Uint8Array(TX.length + 1 + items.length)
  signing.set(TX)
  signing[TX.length] = UNSIGNED_HEAD
  signing.set(items, TX.length + 1)
  return signing
}

/** What a signature is made over: `deaios/tx/1\0` and the unsigned bytes. */
export function signingBytes(unsigned: Uint8Array): Uint8Array {
  return concat(TX, unsigned)
}

/** The 32-byte id of a transaction, from its unsigned bytes. */
export function transactionId(unsigned: Uint8Array): Uint8Array {
  return taggedHash('id', unsigned)
}

/** The 32-byte id of a transaction, from the ten items without their head. */
export function idOfItems(items: Uint8Array): Uint8Array {
  const length = ID.length + 1 + items.length
  const buffer = length <= scratch.length ? scratch : new Uint8Array(length)
  buffer.set(ID)
  buffer[ID.length] = UNSIGNED_HEAD
  buffer.set(items, ID.length + 1)
  return sha256(buffer.subarray(0, length))
}
