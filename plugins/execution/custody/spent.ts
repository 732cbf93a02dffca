import { decodeTransaction, STATUS } from '../../../protocol/index.ts'
import type { Sql } from '../../../server/plugin.ts'
import { outcomesById } from '../query/outcomes.ts'
import { contentsById } from '../query/transaction-content.ts'
import { MESSAGE_KIND } from '../shard/outcome.ts'

/**
 * What a transaction that came to its end has cost its sender, in units: the fee, and the values of the actions that
 * were not refused. Undefined if it is in no block.
 */
export async function spentBy(sql: Sql, id: Uint8Array): Promise<bigint | undefined> {
  const [[content], [outcomes]] = await Promise.all([contentsById(sql, [id]), outcomesById(sql, [id])])
  if (content == null) return undefined
  const { receipt, wire } = content
  const { actions } = decodeTransaction(wire, { id })
  const messages = (outcomes ?? []).flatMap((outcome) => outcome.messages)
  const isRefused = (action: number): boolean =>
    receipt.errors.some((error) => error.action === action) ||
    messages.some(
      (message) =>
        message.action === action && message.kind === MESSAGE_KIND.ACTION && message.status === STATUS.REFUSED,
    )
  return actions.reduce((spent, { value }, action) => (isRefused(action) ? spent : spent + value), receipt.fee)
}
