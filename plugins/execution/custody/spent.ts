import { decodeTransaction, STATUS } from '../../../protocol/index.ts'
import { outcomesById } from '../query/outcomes.ts'
import type { ShardDatabases } from '../query/shard-databases.ts'
import { contentsById } from '../query/transaction-content.ts'
import { MESSAGE_KIND } from '../shard/outcome.ts'

/**
 * What transactions that came to their end have cost their senders, in units: the fee, and the values of the actions
 * that were not refused. In the order of the ids; undefined for those that are in no block.
 */
export async function spentBy(
  databases: ShardDatabases,
  ids: readonly Uint8Array[],
): Promise<readonly (bigint | undefined)[]> {
  const [contents, outcomes] = await Promise.all([contentsById(databases, ids), outcomesById(databases, ids)])
  return contents.map((content, i) => {
    const id = ids[i]
    if (content === null || id === undefined) return undefined
    const { receipt, wire } = content
    const { actions } = decodeTransaction(wire, { id })
    const messages = (outcomes[i] ?? []).flatMap((outcome) => outcome.messages)
    const isRefused = (action: number): boolean =>
      receipt.errors.some((error) => error.action === action) ||
      messages.some(
        (message) =>
          message.action === action && message.kind === MESSAGE_KIND.ACTION && message.status === STATUS.REFUSED,
      )
    return actions.reduce((spent, { value }, action) => (isRefused(action) ? spent : spent + value), receipt.fee)
  })
}
