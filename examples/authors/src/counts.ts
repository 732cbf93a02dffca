import type { EventRecord, Sql, Transaction } from 'deaios'

/** Counts one entry. */
export const noteEntry = ({ payload, time }: EventRecord<{ author: Uint8Array }>, tx: Transaction) => tx`
  INSERT INTO author (address, entries, since) VALUES (${payload.author}, 1, ${time})
  ON CONFLICT (address) DO UPDATE SET entries = author.entries + 1`

/**
 * How many entries each author has written, in the same order.
 * @param authors addresses as hex
 */
export async function countsByAuthor(sql: Sql, authors: readonly string[]): Promise<number[]> {
  const rows = await sql<{ address: string; entries: number }[]>`
    SELECT encode(address, 'hex') AS address, entries FROM author
    WHERE address IN (SELECT decode(hex, 'hex') FROM unnest(${[...authors]}::text[]) AS hex)`
  const found = new Map(rows.map(({ address, entries }) => [address, entries]))
  return authors.map((author) => found.get(author) ?? 0)
}
