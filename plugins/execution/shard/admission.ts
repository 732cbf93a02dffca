import { decodeTransaction, equal, type Transaction } from '../../../protocol/index.ts'
import type { RefusalCode } from '../api.ts'
import type { CallRegistry } from '../ledger/registry.ts'
import {
  BYTES_PER_WEIGHT,
  MAX_BLOCK_WEIGHT,
  MAX_ERROR_MESSAGE,
  TRANSACTION_SHARE,
  TRANSACTION_WEIGHT,
} from '../ledger/rules.ts'
import { idKey, type LedgerCell } from '../state/ledger-cell.ts'
import { findSessionKey, sessionRefusal } from '../state/session-key.ts'
import type { LedgerParams } from './block-maker.ts'
import type { PoolEntry } from './mempool.ts'

/** Why a transaction is not taken. */
export interface Refusal {
  readonly code: RefusalCode
  readonly message?: string
}

/** What a transaction costs. */
export interface Cost {
  readonly weight: number
  readonly fee: bigint
  /** Fee and all values. */
  readonly total: bigint
}

export interface PricingParts {
  readonly registry: CallRegistry
  readonly params: LedgerParams
  /** The realms that exist. */
  readonly realms: ReadonlySet<number>
}

/**
 * Checks a transaction's calls and arguments and gives its exact price. Depends on the transaction alone, so it is the
 * same at admission and at inclusion.
 * @param bytes length of the wire form
 */
export function priceOf(parts: PricingParts, transaction: Pick<Transaction, 'actions'>, bytes: number): Cost | Refusal {
  let weight = TRANSACTION_WEIGHT + Math.ceil(bytes / BYTES_PER_WEIGHT)
  let values = 0n
  for (const action of transaction.actions) {
    const registered = parts.registry.get(action.call)
    if (registered === undefined) return { code: 'UNKNOWN_CALL', message: `no ledger module has "${action.call}"` }
    const args = registered.call.args.safeParse(action.args)
    if (!args.success) {
      const [issue] = args.error.issues
      return {
        code: 'BAD_ARGUMENTS',
        // The issue quotes what it refuses, which may be most of the transaction.
        message: `${action.call}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.slice(0, MAX_ERROR_MESSAGE),
      }
    }
    if (!parts.realms.has(action.realm)) return { code: 'BAD_ARGUMENTS', message: `there is no realm ${action.realm}` }
    weight += parts.registry.weight(registered, args.data)
    values += action.value
  }
  if (weight > MAX_BLOCK_WEIGHT * TRANSACTION_SHARE) {
    return { code: 'TOO_LARGE', message: `its weight of ${weight} would not fit into a block: split it` }
  }
  const fee = parts.params.basePrice * BigInt(weight)
  return { weight, fee, total: fee + values }
}

/** A mempool entry of verified wire bytes, or why it is refused whatever the state. */
export function poolEntry(
  parts: PricingParts,
  wire: Uint8Array,
  id: Uint8Array,
  rootHeight: number,
): { readonly entry: PoolEntry } | { readonly refusal: Refusal } {
  const transaction = decodeTransaction(wire, { id })
  if (transaction.validUntil < rootHeight) {
    return {
      refusal: { code: 'EXPIRED', message: `validUntil ${transaction.validUntil} is below root height ${rootHeight}` },
    }
  }
  const cost = priceOf(parts, transaction, wire.length)
  if ('code' in cost) return { refusal: cost }
  if (transaction.maxFee < cost.fee) {
    return { refusal: { code: 'FEE_TOO_LOW', message: `the fee is ${cost.fee}, maxFee only ${transaction.maxFee}` } }
  }
  const { realm, sender, lane, nonce, validUntil, maxFee, actions } = transaction
  return {
    entry: {
      key: idKey(transaction.id),
      transaction: { id, realm, sender, lane, nonce, validUntil, maxFee, actions },
      wire,
      senderKey: idKey(transaction.sender),
      weight: cost.weight,
      fee: cost.fee,
      cost: cost.total,
      session: equal(transaction.key, transaction.sender) ? undefined : transaction.key.slice(),
      waiters: [],
      lane: undefined,
      place: 0,
      state: 'waiting',
    },
  }
}

/** Why a session key may not sign this, if one did and may not. `account` is the sender's cell. */
export function sessionRefusalOf(
  { session, transaction, cost }: Pick<PoolEntry, 'session' | 'transaction' | 'cost'>,
  account: LedgerCell | undefined,
  rootHeight: number,
): Refusal | undefined {
  if (session === undefined) return undefined
  const message = sessionRefusal(findSessionKey(account?.account.keys ?? [], session), transaction, cost, rootHeight)
  return message === undefined ? undefined : { code: 'KEY_NOT_AUTHORISED', message }
}
