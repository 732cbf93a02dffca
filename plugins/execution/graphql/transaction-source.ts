import { STATUS } from '../../../protocol/index.ts'
import { apiError } from '../../../schema/index.ts'
import type { BlockPlace, TransactionRef, TransactionStatus } from '../api.ts'
import type { TransactionRow } from '../query/transaction-row.ts'
import type { ExecutionErrorShape } from './execution-error.ts'
import type { Loaders, TransactionBody } from './loaders.ts'

/**
 * A Transaction parent with what is known already. Submissions and subscriptions know the status and the place, pages
 * know the index row: what they know costs no statement.
 */
export interface KnownTransaction extends TransactionRef {
  readonly status?: TransactionStatus
  readonly at?: BlockPlace | null
  readonly row?: TransactionRow
}

/** A page's row as a parent. */
export const fromRow = (row: TransactionRow): KnownTransaction => ({ id: row.id, status: row.status, at: row, row })

/** The transaction if the node knows it. */
export async function findTransaction(loaders: Loaders, id: Uint8Array): Promise<KnownTransaction | null> {
  const { row, state } = await loaders.standings.load(id)
  if (row !== null) return fromRow(row)
  return state && { id: state.id, status: state.status, at: state.at }
}

/** How far it got. */
export async function statusOf(loaders: Loaders, ref: KnownTransaction): Promise<TransactionStatus> {
  return ref.status ?? (await known(loaders, ref)).status ?? gone()
}

/** The block that it is in; null while it is in none. */
export async function placeOf(loaders: Loaders, ref: KnownTransaction): Promise<BlockPlace | null> {
  return ref.at !== undefined ? ref.at : ((await known(loaders, ref)).at ?? null)
}

/** Its row in the index; null while it is in no block. */
export async function rowOf(loaders: Loaders, ref: KnownTransaction): Promise<TransactionRow | null> {
  if (ref.row !== undefined) return ref.row
  if (ref.at === null) return null
  return (await loaders.standings.load(ref.id)).row
}

/** Its signed bytes and receipt; null if it ended without a block, for then they are not kept. */
export function bodyOf(loaders: Loaders, ref: KnownTransaction): Promise<TransactionBody | null> {
  return loaders.bodies.load(ref.id)
}

const ENDS: Partial<Record<TransactionStatus, string>> = {
  EXPIRED: 'It was in no block when its validUntil passed. Sign it again with a later one.',
  REPLACED: 'Another transaction with the same nonce and a higher maxFee took its place.',
  EVICTED:
    'It left a full mempool, or its session key may not sign it any more. Submit it again, with a higher maxFee if this goes on.',
}

/** Why it came to nothing; null if it did not. */
export async function errorOf(loaders: Loaders, ref: KnownTransaction): Promise<ExecutionErrorShape | null> {
  const status = await statusOf(loaders, ref)
  const end = ENDS[status]
  if (end !== undefined) return { code: status, message: end }
  if (status !== 'FAILED' && status !== 'INCLUDED') return null
  const first = (await bodyOf(loaders, ref))?.receipt?.errors[0]
  if (first !== undefined) return first
  const outcomes = await loaders.outcomes.load(ref.id)
  return outcomes.flatMap(({ messages }) => messages).find((message) => message.status === STATUS.REFUSED) ?? null
}

async function known(loaders: Loaders, ref: KnownTransaction): Promise<KnownTransaction> {
  return (await findTransaction(loaders, ref.id)) ?? gone()
}

function gone(): never {
  throw apiError('TRANSACTION_GONE', 'The node no longer knows this transaction. Submit it again if you still have it.')
}
