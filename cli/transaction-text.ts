import type { TransactionInfo } from '../client/index.ts'
import { CommandError } from '../server/cli/command-error.ts'
import { formatDea } from './amount.ts'
import { lines } from './table.ts'

/** A transaction as people read it. */
export const transactionText = (info: TransactionInfo): string =>
  lines([
    ['transaction', info.id],
    ['status', info.status],
    ['error', info.error && `${info.error.code}: ${info.error.message}`],
    ['fee', info.fee === undefined ? undefined : formatDea(info.fee)],
    ['block', info.height === undefined ? undefined : `${info.height} of shard ${info.shard}`],
  ])

/** Turns a transaction that came to nothing into an error; exit code 1. */
export function refuseFailed(info: TransactionInfo): void {
  if (info.status !== 'FAILED') return
  const { code, message } = info.error ?? { code: 'FAILED', message: 'an action was refused' }
  throw new CommandError(code, `${message} (transaction ${info.id})`)
}
