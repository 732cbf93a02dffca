/** The paths below a prefix of zeros and ones: from `from` up to, not including, `to` (null: to the end). 32 bytes each. */
export function pathBounds({ prefix }: { readonly prefix: string }): { from: Uint8Array; to: Uint8Array | null } {
  const from = new Uint8Array(32)
  for (let i = 0; i < prefix.length; i++) if (prefix[i] === '1') from[i >> 3]! |= 0x80 >> (i & 7)
  if (!prefix.includes('0')) return { from, to: null }
  // Count up in the prefix: its last 0 becomes 1, what follows becomes 0.
  const last = prefix.lastIndexOf('0')
  const to = new Uint8Array(32)
  for (let i = 0; i <= last; i++) if (i === last || prefix[i] === '1') to[i >> 3]! |= 0x80 >> (i & 7)
  return { from, to }
}
