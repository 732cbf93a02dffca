import { ROOT_SHARD } from '../../../protocol/index.ts'
import type { Sql } from '../../../server/plugin.ts'
import { type MessageOutcome, readOutcomes } from '../shard/outcome.ts'
import { hexes } from './keys.ts'
import type { ShardDatabases } from './shard-databases.ts'
import { askOne, compareKeys } from './spread.ts'

/** What one later block made of a transaction's messages. */
export interface BlockOutcome {
  readonly shard: string
  readonly height: number
  readonly time: Date
  readonly messages: readonly MessageOutcome[]
}

/** How many blocks of one transaction are read at most; a transaction of many sends may go through more. */
const MAX_OUTCOMES = 1024

/**
 * What other blocks made of the transactions' messages, in the order of the ids, each oldest block first. One statement
 * for each database.
 */
export async function outcomesById(databases: ShardDatabases, ids: readonly Uint8Array[]): Promise<BlockOutcome[][]> {
  const found = await Promise.all(databases.all.map((sql) => askOne(databases, sql, (one) => outcomesIn(one, ids))))
  const [first = []] = found
  if (found.length === 1) return first
  return ids.map((_, i) =>
    found.flatMap((outcomes) => outcomes[i] ?? []).sort((a, b) => compareKeys(keyOf(a), keyOf(b))),
  )
}

const keyOf = ({ time, shard, height }: BlockOutcome) => [time.getTime(), shard, height] as const

async function outcomesIn(sql: Sql, ids: readonly Uint8Array[]): Promise<BlockOutcome[][]> {
  const rows = await sql<{ at: bigint; shard: string; height: bigint; time: Date; detail: Buffer }[]>`
    SELECT wanted.at, o.shard, o.height, b.time, o.detail
    FROM unnest(${hexes(ids)}::text[]) WITH ORDINALITY AS wanted (id, at)
    CROSS JOIN LATERAL (
      SELECT shard, height, detail FROM outcome WHERE tx = decode(wanted.id, 'hex') LIMIT ${MAX_OUTCOMES}
    ) o
    CROSS JOIN LATERAL (
      SELECT time FROM block WHERE shard = o.shard AND height = o.height
      UNION ALL SELECT time FROM root_block WHERE o.shard = ${ROOT_SHARD} AND height = o.height LIMIT 1
    ) b
    ORDER BY wanted.at, b.time, o.shard, o.height`
  const outcomes: BlockOutcome[][] = ids.map(() => [])
  for (const { at, shard, height, time, detail } of rows) {
    outcomes[Number(at) - 1]?.push({ shard, height: Number(height), time, messages: readOutcomes(detail) })
  }
  return outcomes
}
