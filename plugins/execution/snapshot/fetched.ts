import type { Row as AnyRow, PendingQuery } from 'postgres'
import type { Transaction } from '../../../server/plugin.ts'

/**
 * The rows of a query, some at a time, while other statements of the same transaction run in between: a cursor of the
 * driver would make them wait for its end.
 * @param name of the cursor; one of this name at a time
 */
export async function* fetched<Row extends object>(
  tx: Transaction,
  name: string,
  query: PendingQuery<AnyRow[]>,
  size: number,
): AsyncIterable<readonly Row[]> {
  await tx`DECLARE ${tx(name)} NO SCROLL CURSOR FOR ${query}`
  let isUsable = false
  try {
    for (;;) {
      isUsable = false
      const rows = await tx<Row[]>`FETCH ${tx.unsafe(String(size))} FROM ${tx(name)}`
      isUsable = true
      if (rows.length > 0) yield [...rows]
      if (rows.length < size) break
    }
  } finally {
    // Also for who has seen enough; not where the transaction has failed.
    if (isUsable) await tx`CLOSE ${tx(name)}`
  }
}
