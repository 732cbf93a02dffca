import { CallRegistry } from '../ledger/registry.ts'
import type { PoolEntry, PooledTransaction } from './pool-entry.ts'

const NOBODY = new Uint8Array(32)
const registry = new CallRegistry([])
let serial = 0

/**
 * For tests: a transaction as it comes into a pool. Its calls are not looked at, and what is not given is of one that
 * does nothing.
 * @param senderKey tells senders apart
 * @param weight its weight
 * @param fields of the transaction itself
 */
export function poolEntry(senderKey: string, weight: number, fields: Partial<PooledTransaction> = {}): PoolEntry {
  serial++
  const transaction = { id: new Uint8Array(32), realm: 0, sender: NOBODY, lane: 0, nonce: 0, validUntil: 1000 }
  return {
    key: `tx ${serial}`,
    transaction: { ...transaction, maxFee: 100n, actions: [], ...fields },
    wire: new Uint8Array(100),
    senderKey,
    weight,
    registry,
    values: 0n,
    waiters: [],
    lane: undefined,
    place: 0,
    session: undefined,
    state: 'waiting',
    cleared: [],
  }
}

/** For tests: a payment of nothing to cells of a realm. */
export const payment = (to: Uint8Array, realm = 0): PooledTransaction['actions'][number] => ({
  to,
  realm,
  call: 'account.credit',
  args: {},
  value: 0n,
})
