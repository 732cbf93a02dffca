import { idKey } from '../state/ledger-cell.ts'

export { idKey }

/** Hex without prefix: postgres.js sends `text[]`, which the statement casts, but no `bytea[]`. */
export const hexes = (ids: readonly Uint8Array[]): string[] =>
  ids.map((id) => Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex'))

/** Spreads rows over the places that were asked for: `at` is an index from 1, as `WITH ORDINALITY` counts. */
export function inOrder<Row extends { readonly at: bigint }, T>(
  count: number,
  rows: Iterable<Row>,
  make: (row: Row) => T,
): (T | null)[] {
  const found = new Array<T | null>(count).fill(null)
  for (const row of rows) found[Number(row.at) - 1] = make(row)
  return found
}
