import type { Sql } from '../../../server/plugin.ts'
import { type MessageOutcome, readOutcomes } from '../shard/outcome.ts'
import { hexes } from './keys.ts'

/** What one later block made of a transaction's messages. */
export interface BlockOutcome {
  readonly shard: string
  readonly height: number
  readonly messages: readonly MessageOutcome[]
}

/** How many blocks of one transaction are read at most; a transaction of many sends may go through more. */
export const MAX_OUTCOMES = 1024

/**
 * What other blocks made of the transactions' messages, in the order of the ids, each oldest block first. One statement.
 */
export async function outcomesById(sql: Sql, ids: readonly Uint8Array[]): Promise<BlockOutcome[][]> {
  const rows = await sql<{ at: bigint; shard: string; height: bigint; detail: Buffer }[]>`
    SELECT wanted.at, o.shard, o.height, o.detail
    FROM unnest(${hexes(ids)}::text[]) WITH ORDINALITY AS wanted (id, at)
    CROSS JOIN LATERAL (
      SELECT shard, height, detail FROM outcome WHERE tx = decode(wanted.id, 'hex') LIMIT ${MAX_OUTCOMES}
    ) o
    CROSS JOIN LATERAL (SELECT time FROM block WHERE shard = o.shard AND height = o.height LIMIT 1) b
    ORDER BY wanted.at, b.time, o.shard, o.height`
  const outcomes: BlockOutcome[][] = ids.map(() => [])
  for (const { at, shard, height, detail } of rows) {
    outcomes[Number(at) - 1]?.push({ shard, height: Number(height), messages: readOutcomes(detail) })
  }
  return outcomes
}
