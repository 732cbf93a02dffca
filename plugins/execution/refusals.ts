import type { RefusalCode } from './api.ts'

/** Every refusal code, in the order that gives its number between threads. */
export const REFUSAL_CODES = [
  'MALFORMED',
  'NOT_CANONICAL',
  'TOO_LARGE',
  'WRONG_NETWORK',
  'BAD_SIGNATURE',
  'KEY_NOT_AUTHORISED',
  'EXPIRED',
  'NONCE_USED',
  'NONCE_TOO_FAR',
  'INSUFFICIENT_FUNDS',
  'FEE_TOO_LOW',
  'UNKNOWN_CALL',
  'BAD_ARGUMENTS',
  'MEMPOOL_FULL',
] as const satisfies readonly RefusalCode[]

/** What each code means and what to do about it, where nothing more exact is known. */
export const REFUSAL_MESSAGES: Readonly<Record<RefusalCode, string>> = {
  MALFORMED: 'these bytes are no transaction: encode the eleven items as the format says',
  NOT_CANONICAL: 'the CBOR is not in its one canonical form: encode it deterministically (RFC 8949, 4.2.1)',
  TOO_LARGE: 'a transaction has at most 65,536 bytes: split it',
  WRONG_NETWORK: 'signed for another network: sign with the id that network { id } gives',
  BAD_SIGNATURE: 'the signature is not one of `key` over these bytes: sign again',
  KEY_NOT_AUTHORISED:
    'the key may not sign this for the sender: sign with the sender’s own key, or one that it authorised for this',
  EXPIRED: 'validUntil is below the present root height: sign again with a later one',
  NONCE_USED: 'the nonce of this lane is used: read account { lanes { nextNonce } } and sign again',
  NONCE_TOO_FAR: 'the nonce is more than 64 beyond the next one of its lane: send the ones before it first',
  INSUFFICIENT_FUNDS: 'the sender has less than the fee and all values together',
  FEE_TOO_LOW: 'maxFee is below the fee: ask simulate for it and sign again',
  UNKNOWN_CALL: 'no ledger module of this network has that call',
  BAD_ARGUMENTS: 'the arguments of an action do not fit its call',
  MEMPOOL_FULL: 'the shard has more transactions waiting than it holds: try again later, or with a higher maxFee',
}
