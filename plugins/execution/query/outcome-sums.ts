import type { Sql } from '../../../server/plugin.ts'
import { hexes, idKey } from './keys.ts'
import type { ShardDatabases } from './shard-databases.ts'
import { askOne } from './spread.ts'

/** What is known of a transaction from the database that it is in. */
export interface OpenTransaction {
  readonly id: Uint8Array
  /** How many messages its first block sent to other shards. */
  readonly remote: number
  /** How many of its messages are on their way, as far as is known. */
  open: number
  refused: boolean
}

/**
 * Adds what became of the transactions' messages in the other databases. While one of those does not answer, the
 * messages that may be there count as on their way.
 */
export async function addOutcomesElsewhere(
  databases: ShardDatabases,
  home: Sql,
  transactions: readonly OpenTransaction[],
): Promise<void> {
  const travelling = transactions.filter(({ remote }) => remote > 0)
  if (databases.all.length === 1 || travelling.length === 0) return
  const ids = hexes(travelling.map(({ id }) => id))
  const sums = await Promise.allSettled(
    databases.all
      .filter((sql) => sql !== home)
      .map((sql) =>
        askOne(
          databases,
          sql,
          async (one) => one<{ tx: Uint8Array; delta: number; refused: boolean }[]>`
            SELECT tx, sum(delta)::integer AS delta, bool_or(refused) AS refused FROM outcome
            WHERE tx IN (SELECT decode(id, 'hex') FROM unnest(${ids}::text[]) AS id) GROUP BY tx`,
        ),
      ),
  )
  const isComplete = sums.every(({ status }) => status === 'fulfilled')
  const byId = new Map(travelling.map((transaction) => [idKey(transaction.id), transaction]))
  for (const sum of sums) {
    for (const { tx, delta, refused } of sum.status === 'fulfilled' ? sum.value : []) {
      const transaction = byId.get(idKey(tx))
      if (transaction === undefined) continue
      transaction.open += delta
      transaction.refused ||= refused
    }
  }
  if (!isComplete) for (const transaction of travelling) transaction.open = Math.max(transaction.open, 1)
}
