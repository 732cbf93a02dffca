import type { Builder } from '../../../schema/index.ts'
import type { TransactionStatus } from '../api.ts'

const descriptions: Record<TransactionStatus, string> = {
  PENDING: 'Accepted, in no block yet. Promises nothing.',
  INCLUDED: 'Its first block is durable; messages to other shards are on their way.',
  EXECUTED: 'All its actions are done, in all shards. Final.',
  FAILED: 'At least one action was refused, the others stand. Final.',
  EXPIRED: 'It was in no block when its validUntil passed. Final.',
  REPLACED: 'Another transaction with the same nonce and a higher maxFee took its place. Final.',
  EVICTED: 'It left the mempool: for one that offers more, or lost in a crash. Final, unless it is submitted again.',
}

export function transactionStatusEnum(builder: Builder) {
  const values = Object.fromEntries(
    Object.entries(descriptions).map(([name, description]) => [name, { value: name, description }]),
  )
  return builder.enumType('TransactionStatus', {
    description: 'How far a transaction got.',
    values: values as { readonly [Name in TransactionStatus]: { readonly value: Name; readonly description: string } },
  })
}
