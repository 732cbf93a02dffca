import type { EventRecord, Sql, Transaction } from 'deaios'
import { type KeysetCursor, keysetCursor, type PageRequest } from 'deaios/schema'
import { z } from 'zod'
import type { JournalEntry } from './api.ts'

/** Puts one entry into the table. */
export const addEntry = (
  { payload, time }: EventRecord<{ author: Uint8Array; number: number; text: string }>,
  tx: Transaction,
) => tx`
  INSERT INTO entry (author, number, text, written_at)
  VALUES (${payload.author}, ${payload.number}, ${payload.text}, ${time})`

export const countEntries = async (sql: Sql | Transaction): Promise<number> => {
  const [row] = await sql<{ count: number }[]>`SELECT count(*)::int AS count FROM entry`
  return row?.count ?? 0
}

/** Entries in the order in which they were written. */
export const byId: KeysetCursor<JournalEntry, readonly [id: number]> = keysetCursor(
  'journal',
  z.tuple([z.int()]),
  ({ id }) => [Number(id)],
)

/** One page of entries, of one author or of all. */
export function entriesPage(
  sql: Sql,
  author: Uint8Array | null | undefined,
  { after, before, limit, reverse }: PageRequest<readonly [id: number]>,
) {
  return sql<JournalEntry[]>`
    SELECT id, author, number, text, written_at AS "writtenAt" FROM entry
    WHERE ${author ? sql`author = ${author}` : sql`true`}
      AND id > ${after?.[0] ?? 0} AND id < ${before?.[0] ?? Number.MAX_SAFE_INTEGER}
    ORDER BY id ${reverse ? sql`DESC` : sql`ASC`} LIMIT ${limit}`
}

/** Entries by their ids, in the same order. */
export async function entriesById(sql: Sql, ids: readonly string[]): Promise<(JournalEntry | null)[]> {
  const rows = await sql<JournalEntry[]>`
    SELECT id, author, number, text, written_at AS "writtenAt" FROM entry WHERE id = ANY(${[...ids]}::bigint[])`
  const byKey = new Map(rows.map((row) => [String(row.id), row]))
  return ids.map((id) => byKey.get(id) ?? null)
}
