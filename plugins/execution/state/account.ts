import type { CborValue } from '../../../protocol/index.ts'
import { readSessionKey, type SessionKey, sessionKeyBytes, sessionKeyValue } from './session-key.ts'

/** Lanes 0 to 15 cost no deposit. */
const FREE_LANES = 16

/** What the engine keeps in an account's cell. `null` in the cell means that it never sent anything. */
export interface AccountState {
  /** [lane, next nonce], sorted by lane. */
  readonly lanes: readonly (readonly [lane: number, next: number])[]
  /** Keys that may act for it, within bounds; in the order of their authorisation. */
  readonly keys: readonly SessionKey[]
}

const NEVER_USED: AccountState = { lanes: [], keys: [] }

/** Reads an account cell's value: `null` or `[lanes, keys]`. Written by `accountValue` only, so its shape is known. */
export function accountState(value: CborValue): AccountState {
  if (value === null) return NEVER_USED
  const [lanes, keys] = value as unknown as [AccountState['lanes'], readonly CborValue[]]
  return { lanes, keys: keys.map(readSessionKey) }
}

/** The CBOR value of an account's cell. */
export const accountValue = (state: AccountState): CborValue => [state.lanes, state.keys.map(sessionKeyValue)]

/** The next nonce that a lane expects. */
export function nextNonce(state: AccountState, lane: number): number {
  for (const [known, next] of state.lanes) if (known === lane) return next
  return 0
}

/** The account after a transaction of this lane. */
export function withNonceUsed(state: AccountState, lane: number, nonce: number): AccountState {
  const lanes: (readonly [number, number])[] = []
  let placed = false
  for (const entry of state.lanes) {
    if (!placed && entry[0] >= lane) {
      lanes.push([lane, nonce + 1])
      placed = true
      if (entry[0] === lane) continue
    }
    lanes.push(entry)
  }
  if (!placed) lanes.push([lane, nonce + 1])
  return { lanes, keys: state.keys }
}

/** Bytes of an account that a deposit pays for: lanes beyond the free ones, and session keys. */
export function accountDepositBytes(state: AccountState): number {
  let bytes = 0
  for (const [lane] of state.lanes) if (lane >= FREE_LANES) bytes += 12
  for (const key of state.keys) bytes += sessionKeyBytes(key)
  return bytes
}

/** The account after one of its session keys has spent so much. */
export const withSpent = (state: AccountState, session: SessionKey, cost: bigint): AccountState => ({
  lanes: state.lanes,
  keys: state.keys.map((key) => (key === session ? { ...key, spent: key.spent + cost } : key)),
})
