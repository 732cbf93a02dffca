import { decodeTransaction, equal, ROOT_REALM, type Transaction } from '../../../protocol/index.ts'
import type { RefusalCode } from '../api.ts'
import { parseArgs } from '../ledger/call-args.ts'
import type { CallRegistry } from '../ledger/registry.ts'
import { BYTES_PER_WEIGHT, MAX_BLOCK_WEIGHT, TRANSACTION_SHARE, TRANSACTION_WEIGHT } from '../ledger/rules.ts'
import { ExhaustedError } from '../ledger/thrown.ts'
import { idKey, type LedgerCell } from '../state/ledger-cell.ts'
import { findSessionKey, sessionRefusal } from '../state/session-key.ts'
import type { LedgerParams } from './ledger-rules.ts'
import type { PoolEntry } from './pool-entry.ts'

/** Why a transaction is not taken. */
export interface Refusal {
  readonly code: RefusalCode
  readonly message?: string
}

/** What a transaction costs, but for the price. */
export interface Cost {
  readonly weight: number
  /** Sum of what its actions carry, in the smallest unit. */
  readonly values: bigint
}

/** What a sender is charged in a block. */
export interface Charge extends Pick<PoolEntry, 'transaction' | 'session'> {
  readonly fee: bigint
  /** Fee and all values: what its sender must have. */
  readonly cost: bigint
}

export interface PricingParts {
  readonly registry: CallRegistry
  readonly params: LedgerParams
  /** The realms that exist. */
  readonly realms: Pick<ReadonlySet<number>, 'has'>
}

/**
 * Checks a transaction's calls and arguments and gives its exact weight. Depends on the transaction and the modules in
 * use alone, so it is the same at admission and at inclusion while those are.
 * @param bytes length of the wire form
 */
export function costOf(parts: PricingParts, transaction: Pick<Transaction, 'actions'>, bytes: number): Cost | Refusal {
  try {
    return sumOf(parts, transaction, bytes)
  } catch (error) {
    if (!(error instanceof ExhaustedError)) throw error
    return { code: 'BAD_ARGUMENTS', message: error.message }
  }
}

/** @throws ExhaustedError */
function sumOf(parts: PricingParts, transaction: Pick<Transaction, 'actions'>, bytes: number): Cost | Refusal {
  let weight = TRANSACTION_WEIGHT + Math.ceil(bytes / BYTES_PER_WEIGHT)
  let values = 0n
  for (const action of transaction.actions) {
    const registered = parts.registry.get(action.call, action.realm === ROOT_REALM ? 'root' : 'shard')
    if (registered === undefined) return { code: 'UNKNOWN_CALL', message: `no ledger module has "${action.call}"` }
    const args = parseArgs(registered, action.args)
    if ('why' in args) return { code: 'BAD_ARGUMENTS', message: args.why }
    if (!isThere(parts, action.realm)) return { code: 'BAD_ARGUMENTS', message: `there is no realm ${action.realm}` }
    const own = parts.registry.weight(registered, args.data)
    if (own === undefined) return { code: 'BAD_ARGUMENTS', message: `${action.call} does not say what it weighs` }
    weight += own
    values += action.value
  }
  if (weight > MAX_BLOCK_WEIGHT * TRANSACTION_SHARE) {
    return { code: 'TOO_LARGE', message: `its weight of ${weight} would not fit into a block: split it` }
  }
  return { weight, values }
}

/** What a transaction takes at a price, in units for one of weight. */
export function chargeOf(
  { transaction, session, weight, values }: Pick<PoolEntry, 'transaction' | 'session' | 'weight' | 'values'>,
  price: bigint,
): Charge {
  const fee = price * BigInt(weight)
  return { transaction, session, fee, cost: fee + values }
}

/** Why a transaction cannot be included at this price, if it cannot. */
export function feeRefusal(transaction: Pick<Transaction, 'maxFee'>, fee: bigint): Refusal | undefined {
  if (transaction.maxFee >= fee) return undefined
  return { code: 'FEE_TOO_LOW', message: `the fee is ${fee} now, maxFee only ${transaction.maxFee}` }
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
  const cost = costOf(parts, transaction, wire.length)
  if ('code' in cost) return { refusal: cost }
  const { realm, sender, lane, nonce, validUntil, maxFee, actions } = transaction
  return {
    entry: {
      key: idKey(transaction.id),
      transaction: { id, realm, sender, lane, nonce, validUntil, maxFee, actions },
      wire,
      senderKey: idKey(transaction.sender),
      weight: cost.weight,
      registry: parts.registry,
      values: cost.values,
      session: equal(transaction.key, transaction.sender) ? undefined : transaction.key.slice(),
      waiters: [],
      lane: undefined,
      place: 0,
      state: 'waiting',
      cleared: [],
    },
  }
}

/**
 * Checks an entry again if the modules changed since it was taken in: its weight may be another one now.
 * @returns false if it calls what there is no more
 */
export function stillFits(entry: PoolEntry, parts: PricingParts): boolean {
  if (entry.registry === parts.registry) return entry.transaction.actions.every(({ realm }) => isThere(parts, realm))
  const cost = costOf(parts, entry.transaction, entry.wire.length)
  if ('code' in cost) return false
  entry.weight = cost.weight
  entry.registry = parts.registry
  return true
}

const isThere = ({ realms }: PricingParts, realm: number): boolean => realm === ROOT_REALM || realms.has(realm)

/** Why a session key may not sign this, if one did and may not. `account` is the sender's cell. */
export function sessionRefusalOf(
  { session, transaction, cost }: Pick<Charge, 'session' | 'transaction' | 'cost'>,
  account: LedgerCell | undefined,
  rootHeight: number,
): Refusal | undefined {
  if (session === undefined) return undefined
  const message = sessionRefusal(findSessionKey(account?.account.keys ?? [], session), transaction, cost, rootHeight)
  return message === undefined ? undefined : { code: 'KEY_NOT_AUTHORISED', message }
}
