import type { TransactionRow } from './transaction-row.ts'

/** Rows that one page may look at when it has to skip those of another status. */
export const MAX_SCAN = 2000
const WINDOW = 500

/** A piece of a list, newest first. */
export interface Piece {
  readonly rows: readonly TransactionRow[]
  /** The last row that was looked at, behind which the list goes on; undefined at its end. */
  readonly next: TransactionRow | undefined
}

/** Reads a list from behind a key. */
export type ReadAfter<Key> = (limit: number, after: Key | undefined) => Promise<readonly TransactionRow[]>

/** The next `size` rows. */
export async function nextTransactions<Key>(
  read: ReadAfter<Key>,
  size: number,
  after: Key | undefined,
): Promise<Piece> {
  const rows = await read(size + 1, after)
  const shown = rows.slice(0, size)
  return { rows: shown, next: rows.length > size ? shown.at(-1) : undefined }
}

/**
 * Reads on until `size` rows match, the list ends, or MAX_SCAN rows were seen: then the piece is shorter than asked
 * for, and `next` still leads on.
 */
export async function scanTransactions<Key>(options: {
  readonly read: ReadAfter<Key>
  readonly keyOf: (row: TransactionRow) => Key
  readonly matches: (row: TransactionRow) => boolean
  readonly size: number
  readonly after: Key | undefined
}): Promise<Piece> {
  const { read, keyOf, matches, size } = options
  const rows: TransactionRow[] = []
  let last: TransactionRow | undefined
  for (let seen = 0; seen < MAX_SCAN; seen += WINDOW) {
    const window = await read(WINDOW, last === undefined ? options.after : keyOf(last))
    for (const row of window) {
      if (matches(row)) {
        if (rows.length === size) return { rows, next: last }
        rows.push(row)
      }
      last = row
    }
    if (window.length < WINDOW) return { rows, next: undefined }
  }
  return { rows, next: last }
}
