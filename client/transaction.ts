import {
  type Action,
  type CborMap,
  encodeTransaction,
  encodeUnsigned,
  fromHex,
  signingBytes,
  type TransactionFields,
  toHex,
  transactionId,
} from '../protocol/index.ts'
import type { KeyPair } from './keypair.ts'

/** An address or id: 32 bytes, or their 0x-hex. */
export type Hex32 = Uint8Array | string

/** A transaction that is ready to be submitted, as often as it takes: it is executed once. */
export interface SignedTransaction {
  /** 0x-hex. */
  readonly id: string
  readonly wire: Uint8Array
}

/** What an action may leave out. */
export interface ActionInput {
  /** The cell that is called. */
  readonly to: Hex32
  /** `module.call` */
  readonly call: string
  readonly args?: CborMap
  /** In the smallest unit; 0 if absent. */
  readonly value?: bigint
  /** 0 if absent. */
  readonly realm?: number
}

/** One call to one cell. */
export function action(input: ActionInput): Action {
  const { to, call, args = {}, value = 0n, realm = 0 } = input
  return { to: bytes32(to), realm, call, args, value }
}

/**
 * A payment.
 * @param to the receiver's address
 * @param value in the smallest unit: 1 DEA is 10^9
 */
export function transfer(to: Hex32, value: bigint, realm = 0): Action {
  return action({ to, call: 'account.credit', value, realm })
}

/** What is signed apart from the key itself. `sender` is absent if the key is the account's own. */
export type TransactionInput = Omit<TransactionFields, 'sender' | 'key'> & { readonly sender?: Uint8Array }

/**
 * Signs a transaction.
 * @throws TransactionError MALFORMED or TOO_LARGE for fields that no node would take.
 */
export function signTransaction(input: TransactionInput, keys: KeyPair): SignedTransaction {
  const unsigned = encodeUnsigned({ ...input, sender: input.sender ?? keys.publicKey, key: keys.publicKey })
  const wire = encodeTransaction(unsigned, keys.sign(signingBytes(unsigned)))
  return { id: toHex(transactionId(unsigned)), wire }
}

/** The bytes of an address or id. @throws CodecError MALFORMED if it is no hex. */
export function bytes32(value: Hex32): Uint8Array {
  return typeof value === 'string' ? fromHex(value) : value
}

/** The 0x-hex of an address or id, in lower case. @throws CodecError MALFORMED if it is no hex. */
export function hex32(value: Hex32): string {
  return toHex(bytes32(value))
}
