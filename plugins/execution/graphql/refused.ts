import type { Builder } from '../../../schema/index.ts'

/** A transaction that was not taken. */
export interface RefusedShape {
  readonly kind: 'refused'
  readonly code: string
  readonly message: string
}

/** The type TransactionRefused. */
export function transactionRefusedType(builder: Builder) {
  return builder.objectRef<RefusedShape>('TransactionRefused').implement({
    description:
      'The transaction was not taken; nothing was changed. Its code is one of MALFORMED, NOT_CANONICAL, TOO_LARGE, ' +
      'WRONG_NETWORK, BAD_SIGNATURE, KEY_NOT_AUTHORISED, EXPIRED, NONCE_USED, NONCE_TOO_FAR, INSUFFICIENT_FUNDS, ' +
      'FEE_TOO_LOW, UNKNOWN_CALL, BAD_ARGUMENTS and MEMPOOL_FULL; the faucet adds NO_FAUCET and FAUCET_LIMIT, and ' +
      '`send` SPENDING_CAP, SENDS_PENDING and IDEMPOTENCY_CONFLICT.',
    interfaces: [builder.userError],
  })
}
