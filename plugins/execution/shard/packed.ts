/** Rows travel as packed bytes that the server cuts up again with `substring`: these say where. */

/** A Postgres array literal. */
export const list = (values: readonly (number | boolean)[]): string => `{${values.join(',')}}`

/** Where each piece begins (from 1, as SQL counts) and how long it is, when they stand one after the other. */
export function lengths(pieces: readonly Uint8Array[]): { starts: number[]; lengths: number[] } {
  let at = 1
  const starts = pieces.map((piece) => {
    const start = at
    at += piece.length
    return start
  })
  return { starts, lengths: pieces.map((piece) => piece.length) }
}
