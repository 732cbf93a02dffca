import { Writer, writeReceipt } from '../../../protocol/index.ts'
import type { CellStore } from '../state/cell-store.ts'
import type { LedgerCell } from '../state/ledger-cell.ts'
import { type Charge, type PricingParts, stillFits } from './admission.ts'
import type { Execution } from './execution.ts'
import { judge, type LeftOver, nothingLeft } from './judge.ts'
import type { IncludedTransaction } from './made-block.ts'
import type { PoolEntry } from './pool-entry.ts'
import type { RunMarks } from './run-marks.ts'

/** The transactions of a block, after they ran. */
export interface RanTransactions {
  readonly included: readonly IncludedTransaction[]
  readonly left: LeftOver
  /** CBOR, one after the other, and where each begins. */
  readonly receipts: Uint8Array
  readonly receiptAt: readonly number[]
  readonly weight: number
}

/** What of a block its transactions are judged and charged by. */
export interface TransactionPlace {
  readonly rootCursor: number
  readonly basePrice: bigint
  readonly pricing: PricingParts
  /** What they may weigh in all. */
  readonly budget: number
}

/**
 * Runs the candidates that can be in a block, in order, and says of the others why they are not.
 * @param parts `marks`: where it says what it runs; `drain` runs what is queued to its end
 * @throws BadRunError if one cannot be run to its end
 */
export async function runTransactions(
  parts: {
    readonly execution: Execution
    readonly store: CellStore
    readonly marks?: RunMarks | undefined
    readonly drain: (execution: Execution) => Promise<void>
  },
  candidates: readonly PoolEntry[],
  place: TransactionPlace,
): Promise<RanTransactions> {
  const { execution, store, marks, drain } = parts
  const included: IncludedTransaction[] = []
  const left = nothingLeft()
  const affords = (sender: LedgerCell, charge: Charge) => execution.affords(sender, charge.transaction, charge.cost)
  const receipts = new Writer(160 * candidates.length + 16)
  const receiptAt: number[] = []
  let weight = 0
  for (const entry of candidates) {
    if (!stillFitsHere(entry, place.pricing, marks)) {
      left.unfit.push(entry)
      continue
    }
    if (weight + entry.weight > place.budget) {
      left.putBack.push(entry)
      continue
    }
    const verdict = judge(entry, store.get(entry.senderKey), place, affords)
    if (typeof verdict === 'string') {
      left[verdict].push(entry)
      continue
    }
    const { sender, charge } = verdict
    execution.begin(sender, charge)
    await drain(execution)
    const { receipt, refused, remote } = execution.receipt(entry.transaction, charge.fee)
    receiptAt.push(receipts.length)
    writeReceipt(receipts, receipt)
    included.push({ entry, refused, remote })
    weight += entry.weight
  }
  return { included, left, receipts: receipts.view(), receiptAt, weight }
}

/** A schema or weight of a module may run; where it cannot be run to its end, it is known whose it was. */
function stillFitsHere(entry: PoolEntry, pricing: PricingParts, marks: RunMarks | undefined): boolean {
  if (marks === undefined || entry.registry === pricing.registry) return stillFits(entry, pricing)
  marks.transaction('transaction', entry.transaction.id)
  return marks.run(() => stillFits(entry, pricing))
}
