import { nextNonce } from '../state/account.ts'
import type { LedgerCell } from '../state/ledger-cell.ts'
import { type Charge, chargeOf, sessionRefusalOf } from './admission.ts'
import type { PoolEntry } from './pool-entry.ts'

/**
 * Why a candidate is not in a block:
 * - `stale`: its nonce is used.
 * - `expired`: it is valid no more.
 * - `barred`: its session key may not sign it any more.
 * - `behind`: an earlier nonce is missing.
 * - `priced`: it pays less than this block takes.
 * - `parked`: its sender cannot pay it now.
 * - `putBack`: there is no room.
 * - `unfit`: the modules have changed since it was taken in, and have not what it calls.
 */
export type Left = 'stale' | 'expired' | 'barred' | 'behind' | 'priced' | 'parked' | 'putBack' | 'unfit'

/** The candidates that are not in a block. */
export type LeftOver = Readonly<Record<Left, PoolEntry[]>>

export const nothingLeft = (): LeftOver => ({
  stale: [],
  expired: [],
  barred: [],
  behind: [],
  priced: [],
  parked: [],
  putBack: [],
  unfit: [],
})

/** What a candidate is charged in a block with this cursor and price, or why it is not in it. */
export function judge(
  entry: PoolEntry,
  sender: LedgerCell | undefined,
  { rootCursor, basePrice }: { readonly rootCursor: number; readonly basePrice: bigint },
  affords: (sender: LedgerCell, charge: Charge) => boolean,
): { readonly sender: LedgerCell; readonly charge: Charge } | Left {
  const { transaction } = entry
  const expected = sender === undefined ? 0 : nextNonce(sender.account, transaction.lane)
  if (transaction.nonce < expected) return 'stale'
  if (transaction.validUntil < rootCursor) return 'expired'
  const charge = chargeOf(entry, basePrice)
  const isPriced = transaction.maxFee < charge.fee
  // A limit that this price would exceed may be enough for a lower one.
  const judged = isPriced ? { ...charge, cost: 0n } : charge
  if (sessionRefusalOf(judged, sender, rootCursor) !== undefined) return 'barred'
  if (transaction.nonce > expected) return 'behind'
  if (isPriced) return 'priced'
  return sender !== undefined && affords(sender, charge) ? { sender, charge } : 'parked'
}
