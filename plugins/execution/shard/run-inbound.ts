import { encode, type Message, STATUS } from '../../../protocol/index.ts'
import { idKey } from '../state/ledger-cell.ts'
import type { Execution } from './execution.ts'
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
  const byTransaction = new Map<string, { transaction: Uint8Array; delta: number; found: MessageOutcome[] }>()
  for (const message of messages) {
    execution.beginInbound(message)
    await drain(execution)
    if (message.origin.length === 0) continue
    const { delta, outcomes } = execution.inboundResult()
    const key = idKey(message.origin)
    const known = byTransaction.get(key)
    if (known === undefined) byTransaction.set(key, { transaction: message.origin, delta, found: [...outcomes] })
    else {
      known.delta += delta
      known.found.push(...outcomes)
    }
  }
  return [...byTransaction.values()].map(({ transaction, delta, found }) => ({
    transaction,
    delta,
    // A send that was refused bounces and is its module's affair; only actions decide about the transaction.
    refused: found.some((outcome) => outcome.kind === 0 && outcome.status === STATUS.REFUSED),
    detail: encode(outcomesValue(found)),
  }))
}
