import { encode, type Message, STATUS } from '../../../protocol/index.ts'
import { idKey } from '../state/ledger-cell.ts'
import type { Execution, InboundResult } from './execution.ts'
import type { TransactionOutcome } from './made-block.ts'
import { type MessageOutcome, outcomesValue } from './outcome.ts'

/**
 * Runs messages that arrived, in order, and gives what became of the transactions that they come from.
 * @param drain runs what is queued to its end
 */
export async function runInbound(
  execution: Execution,
  messages: readonly Message[],
  drain: (execution: Execution) => Promise<void>,
): Promise<TransactionOutcome[]> {
  const found = new InboundOutcomes()
  for (const message of messages) {
    execution.beginInbound(message)
    await drain(execution)
    found.add(message, execution.inboundResult())
  }
  return found.byTransaction()
}

/** Gathers what messages came to, by the transactions that they come from. */
export class InboundOutcomes {
  readonly #found = new Map<string, { transaction: Uint8Array; delta: number; found: MessageOutcome[] }>()

  add({ origin }: Message, { delta, outcomes }: InboundResult): void {
    if (origin.length === 0) return
    const key = idKey(origin)
    const known = this.#found.get(key)
    if (known === undefined) this.#found.set(key, { transaction: origin, delta, found: [...outcomes] })
    else {
      known.delta += delta
      known.found.push(...outcomes)
    }
  }

  byTransaction(): TransactionOutcome[] {
    return [...this.#found.values()].map(({ transaction, delta, found }) => ({
      transaction,
      delta,
      // A send that was refused bounces and is its module's affair; only actions decide about the transaction.
      refused: found.some((outcome) => outcome.kind === 0 && outcome.status === STATUS.REFUSED),
      detail: encode(outcomesValue(found)),
    }))
  }
}
