import { decodeHeader } from '../../../protocol/index.ts'
import type { SqlOrTransaction } from '../../../server/plugin.ts'
import type { StoredRoot } from './replayed-root.ts'
import type { StoredBlock } from './replayed-shard.ts'

const PAGE = 500

/** What a replay reads: a chain in Postgres, or a recorded one. */
export interface StoredChain {
  /** All root blocks from a height on, in order. */
  roots(from: number): AsyncIterable<StoredRoot>
  /** Blocks in the order asked for; undefined where one is missing. */
  blocks(places: readonly { readonly shard: string; readonly height: number }[]): Promise<(StoredBlock | undefined)[]>
  /** The blocks of a shard behind a height: those that no root block lists yet. */
  after(shard: string, height: number): Promise<readonly StoredBlock[]>
}

/**
 * The chain in the tables of the execution plugin.
 * @param sql of the node's own database; a transaction that sees it as of one moment, if it goes on meanwhile
 * @param of where a shard's blocks are, if not all are there
 */
export function chainInDatabase(
  sql: SqlOrTransaction,
  of: (shard: string) => SqlOrTransaction = () => sql,
): StoredChain {
  return {
    async *roots(from) {
      for (let next = from; ; ) {
        const rows = await sql<(Omit<StoredRoot, 'height'> & { readonly height: bigint })[]>`
          SELECT height, hash, header, votes, entries, outgoing, delta, exports FROM root_block
          WHERE height >= ${next} ORDER BY height LIMIT ${PAGE}`
        for (const row of rows) yield { ...row, height: Number(row.height) }
        if (rows.length < PAGE) return
        next = Number(rows.at(-1)?.height) + 1
      }
    },
    async blocks(places) {
      const found = new Map<string, StoredBlock>()
      for (const [home, there] of Map.groupBy(places, ({ shard }) => of(shard))) {
        const rows = await home<BlockRow[]>`
          SELECT ${columnsOf(home)} FROM block JOIN unnest(${there.map(({ shard }) => shard)}::text[],
            ${there.map(({ height }) => height)}::int8[]) AS wanted (shard, height) USING (shard, height)`
        for (const row of rows) found.set(`${row.shard} ${row.height}`, blockOf(row))
      }
      return places.map(({ shard, height }) => found.get(`${shard} ${height}`))
    },
    async after(shard, height) {
      const home = of(shard)
      const rows = await home<BlockRow[]>`
        SELECT ${columnsOf(home)} FROM block WHERE shard = ${shard} AND height > ${height} ORDER BY height`
      const blocks = rows.map(blockOf)
      if (home === sql) return blocks
      // Another database is not seen as of the same moment: its newest blocks may know newer root blocks.
      const [last] = await sql<{ height: bigint }[]>`SELECT max(height) AS height FROM root_block`
      const end = blocks.findIndex(({ header }) => decodeHeader(header).rootCursor > Number(last?.height ?? 0))
      return end < 0 ? blocks : blocks.slice(0, end)
    },
  }
}

const columnsOf = (sql: SqlOrTransaction) => sql`shard, height, hash, header, body, receipts, outgoing, delta`

type BlockRow = Omit<StoredBlock, 'height'> & { readonly height: bigint }

const blockOf = (row: BlockRow): StoredBlock => ({ ...row, height: Number(row.height) })
