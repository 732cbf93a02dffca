/** Clocks that are set by NTP differ by far less. */
export const MAX_AHEAD_MS = 10_000

/**
 * Says so if the ledger's time is far ahead of the clock: it never goes back, so it stands still for as long.
 * @param time of the last root block, in milliseconds since 1970
 * @param now by this node's clock
 */
export function timeAhead(time: number, now: number): string | undefined {
  if (time - now <= MAX_AHEAD_MS) return undefined
  const until = new Date(time).toISOString()
  return `the ledger's time stands still until ${until}: a clock was ahead when its blocks were made, or this node's is behind`
}
