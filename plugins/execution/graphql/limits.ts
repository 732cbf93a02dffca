import { MAX_TRANSACTION_BYTES } from '../../../protocol/index.ts'
import { LimitsType } from '../../../schema/index.ts'
import { heightWaitSeconds } from './height-gate.ts'
import type { Setting } from './setting.ts'
import { MAX_SUBMISSIONS } from './submission.ts'

/** What the ledger takes, beside the server's own limits. Nullable, as all that one plugin adds to another's type. */
export function extendLimits({ builder, host }: Setting): void {
  builder.objectFields(builder.refOf(LimitsType), (t) => ({
    transactionBytes: t.int({
      description: 'Bytes of a signed transaction. They count apart from the document.',
      resolve: () => MAX_TRANSACTION_BYTES,
    }),
    transactionsPerCall: t.int({
      description: 'Transactions that one call of `submitTransactions` takes.',
      resolve: () => MAX_SUBMISSIONS,
    }),
    heightWaitSeconds: t.float({
      description: 'Seconds that a request waits for its `atLeastHeight`, before HEIGHT_NOT_REACHED.',
      resolve: () => heightWaitSeconds(host),
    }),
  }))
}
