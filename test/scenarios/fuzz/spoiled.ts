import type { RefusalCode } from '../../../plugins/execution/api.ts'
import { type CborValue, domain, encode, type TransactionFields } from '../../../protocol/index.ts'
import { type SigningKey, sign } from '../../../server/crypto/ed25519.ts'
import type { Random } from '../random.ts'

/** Transaction bytes with something wrong, and what a node must say to them. */
export interface Spoiled {
  /** What was done to it. */
  readonly fault: string
  readonly wire: Uint8Array
  /** One of these codes; or none, for what was executed before and is answered as a repetition. */
  readonly expected: readonly RefusalCode[] | 'REPEATED'
}

/** What faults are made from. */
export interface Material {
  readonly random: Random
  /** Executed before. */
  readonly executed: readonly Uint8Array[]
  /** A transaction that would be taken: its sender has coins, and its nonce is next. */
  valid(): TransactionFields
  /** The key of its sender. */
  readonly key: SigningKey
  /** A key without any coins. */
  readonly stranger: SigningKey
}

/** Makes one fault. */
export type Spoil = (material: Material) => Spoiled

/** The ten items as plain CBOR values, so that any of them can be made wrong. */
export function itemsOf(fields: TransactionFields): CborValue[] {
  const { network, realm, sender, key, lane, nonce, validUntil, maxFee, actions } = fields
  const calls = actions.map(({ to, realm, call, args, value }) => [to, realm, call, args, value])
  return [1, network, realm, sender, key, lane, nonce, validUntil, maxFee, calls]
}

/** What a signature is made over, whatever these bytes are. */
export const signed = (unsigned: Uint8Array, key: SigningKey): Uint8Array =>
  sign(Buffer.concat([domain('tx'), unsigned]), key)

/** Wire bytes of items, right or wrong, under a signature that holds. */
export function sealItems(items: readonly CborValue[], key: SigningKey): Uint8Array {
  return encode([...items, signed(encode(items), key)])
}

/** Wire bytes of fields, right or wrong, under a signature that holds. */
export const seal = (fields: TransactionFields, key: SigningKey): Uint8Array => sealItems(itemsOf(fields), key)
