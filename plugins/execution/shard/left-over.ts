import { equal } from '../../../protocol/index.ts'
import type { LeftOver } from './judge.ts'
import type { Mempool } from './mempool.ts'
import type { PoolEntry } from './pool-entry.ts'
import type { BadRunError } from './running.ts'

/** What becomes of the candidates that a block left. */
export function settleLeft(mempool: Mempool, left: LeftOver): void {
  for (const entry of left.parked) mempool.setAside(entry, 'parked')
  for (const entry of left.priced) mempool.setAside(entry, 'priced')
  for (const entry of left.behind) mempool.setAside(entry, 'behind')
  for (const entry of left.putBack) mempool.putBack(entry)
  for (const entry of left.expired) mempool.reject(entry, 'EXPIRED')
  for (const entry of left.stale) mempool.supersede(entry)
  for (const entry of [...left.barred, ...left.unfit]) mempool.reject(entry, 'EVICTED')
}

/** The transaction that broke the block; undefined if a message did, which cannot be left out. */
export function culpritOf({ running }: BadRunError, candidates: readonly PoolEntry[]): PoolEntry | undefined {
  if (running.kind === 'message') return undefined
  return candidates.find(({ transaction }) => equal(transaction.id, running.id))
}
