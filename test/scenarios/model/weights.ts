/** Weights as the ledger's rules have them, counted here on their own: fees are part of the model. */
const TRANSACTION = 10
const BYTES_PER_WEIGHT = 64
const CALLS: Readonly<Record<string, number>> = {
  'account.credit': 3,
  'faucet.drip': 6,
  'diary.note': 3,
  'diary.dictate': 6,
}

/** What a transaction weighs: its fee at a base price of 1. */
export function weightOf(
  wire: Uint8Array,
  actions: readonly { readonly call: string; readonly weight?: number }[],
): bigint {
  const calls = actions.reduce((sum, { call, weight }) => sum + (weight ?? CALLS[call] ?? 0), 0)
  return BigInt(TRANSACTION + Math.ceil(wire.length / BYTES_PER_WEIGHT) + calls)
}
