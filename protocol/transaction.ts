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
  /** CBOR of the ten items that are signed: a fresh copy at each access. */
  readonly unsigned: Uint8Array
  /** What the signature is over, `domain('tx')` and `unsigned`: a fresh copy at each access. */
  readonly signingBytes: Uint8Array
  /** 32 bytes. Depends on `unsigned` alone, so no second signature makes a second id. */
  readonly id: Uint8Array
}

/** A signed transaction as it was read. Whether the signature holds is another question. */
export interface Transaction extends UnsignedTransaction {
  /** 64 bytes. */
  readonly signature: Uint8Array
}

const TX = domain('tx')

/** What a signature is made over: `deaios/tx/1\0` and the unsigned bytes. */
export function signingBytes(unsigned: Uint8Array): Uint8Array {
  const signing = new Uint8Array(TX.length + unsigned.length)
  signing.set(TX)
  signing.set(unsigned, TX.length)
  return signing
}

/** The 32-byte id of a transaction, from its unsigned bytes. */
export function transactionId(unsigned: Uint8Array): Uint8Array {
  return taggedHash('id', unsigned)
}
