import type { Message } from '../../../protocol/index.ts'
import type { CellStore } from '../state/cell-store.ts'
import { idKey } from '../state/ledger-cell.ts'
import type { Trie } from '../state/trie.ts'
import type { LedgerParams } from './ledger-rules.ts'
import type { PoolEntry } from './pool-entry.ts'
import type { ShardSpace } from './shard-space.ts'

/**
 * The ids of the cells that a block is known to need and that are not in memory, each once: so that one query brings
 * them all. What calls turn out to send to is not known yet.
 */
export function neededCells(
  {
    space,
    params,
    store,
    trie,
  }: {
    readonly space: ShardSpace
    readonly params: Pick<LedgerParams, 'treasury'>
    readonly store: CellStore
    readonly trie: Pick<Trie, 'has'>
  },
  messages: readonly Message[],
  candidates: readonly Pick<PoolEntry, 'transaction'>[],
): readonly Uint8Array[] {
  const ids = new Map<string, Uint8Array>()
  const want = (realm: number, id: Uint8Array): void => {
    if (realm !== space.realm) return
    const key = idKey(id)
    if (store.get(key) !== undefined || ids.has(key)) return
    const path = store.pathOf(key, id)
    if (space.contains(path) && trie.has(path)) ids.set(key, id)
  }
  want(params.treasury.realm, params.treasury.id)
  for (const message of messages) want(message.realm, message.to)
  for (const { transaction } of candidates) {
    want(transaction.realm, transaction.sender)
    for (const action of transaction.actions) want(action.realm, action.to)
  }
  return [...ids.values()]
}
