import type { Barred } from './barred.ts'
import type { BirthStore } from './birth-store.ts'
import type { BlockStore } from './block-store.ts'
import type { LedgerRules } from './ledger-rules.ts'
import type { ShardReport } from './messages.ts'
import type { RunMarks } from './run-marks.ts'
import type { ShardSpace } from './shard-space.ts'
import type { ShardTuning } from './tuning.ts'

/** What a shard's engine is made of. */
export interface ShardEngineParts {
  readonly space: ShardSpace
  readonly store: BlockStore
  readonly births: Pick<BirthStore, 'split' | 'isSplit'>
  readonly rules: LedgerRules
  readonly tuning: ShardTuning
  readonly report: (report: ShardReport) => void
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Where it says what it runs; nobody looks if absent. */
  readonly marks?: RunMarks
  /** Transactions that broke a block before; it adds to them. */
  readonly barred?: Barred
  /** So long it waits after each transaction and message for what that left behind. */
  readonly cautiousMs?: number
}
