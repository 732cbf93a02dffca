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

/** The chain in the tables of the execution plugin. */
export function chainInDatabase(sql: SqlOrTransaction): StoredChain {
  const columns = sql`shard, height, hash, header, body, receipts, outgoing, delta`
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
      const rows = await sql<BlockRow[]>`
        SELECT ${columns} FROM block JOIN unnest(${places.map(({ shard }) => shard)}::text[],
          ${places.map(({ height }) => height)}::int8[]) AS wanted (shard, height) USING (shard, height)`
      const found = new Map(rows.map((row) => [`${row.shard} ${row.height}`, blockOf(row)]))
      return places.map(({ shard, height }) => found.get(`${shard} ${height}`))
    },
    async after(shard, height) {
      const rows = await sql<BlockRow[]>`
        SELECT ${columns} FROM block WHERE shard = ${shard} AND height > ${height} ORDER BY height`
      return rows.map(blockOf)
    },
  }
}

type BlockRow = Omit<StoredBlock, 'height'> & { readonly height: bigint }

const blockOf = (row: BlockRow): StoredBlock => ({ ...row, height: Number(row.height) })
