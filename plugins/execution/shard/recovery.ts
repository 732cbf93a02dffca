import { cellLeaf, decodeHeader, decodeMessage, equal, toHex } from '../../../protocol/index.ts'
import { RootView } from '../root/root-view.ts'
import { Holdings } from '../state/holdings.ts'
import { idKey, openRecord } from '../state/ledger-cell.ts'
import { type LeafChange, Trie } from '../state/trie.ts'
import type { BlockStore } from './block-store.ts'
import { type ChainTip, tipAfter } from './chain-tip.ts'
import { deferredTrie } from './deferred-trie.ts'
import type { CellDelta } from './delta.ts'
import type { DeferredMessage } from './inbox.ts'
import type { ShardSpace } from './shard-space.ts'

/** The stored state does not give the root that the last header commits: the database was changed or damaged. */
export class StateMismatchError extends Error {
  override readonly name = 'StateMismatchError'
  readonly code = 'STATE_MISMATCH'
}

/** A shard's state as its last block left it. */
export interface RecoveredShard {
  readonly tip: ChainTip
  readonly trie: Trie
  readonly holdings: Holdings
  readonly waiting: readonly DeferredMessage[]
  /** Newest versions of cells that the cell table does not have yet, by path as a map key. */
  readonly unfolded: ReadonlyMap<string, CellDelta>
  /** Of the root block up to which messages were taken in. */
  readonly random: Uint8Array
  /** What the root chain exports, as of that root block. */
  readonly view: RootView
  /** Header bytes of the last block. */
  readonly header: Uint8Array
}

/**
 * Rebuilds a shard's trie from the cell table and the blocks after its last fold, and compares it with the last header.
 * About 3 us a cell.
 * @throws StateMismatchError naming shard and height.
 */
export async function recover(space: ShardSpace, store: BlockStore, depositPerByte: bigint): Promise<RecoveredShard> {
  const stored = await store.tip()
  if (stored === undefined) throw new StateMismatchError(`shard ${space.id} has no block, not even its first`)
  const header = decodeHeader(stored.header)
  const changed = new Map<string, CellDelta>()
  const folded = await store.foldedHeight()
  for await (const delta of store.deltasAfter(folded)) {
    for (const cell of delta) changed.set(idKey(cell.path), cell)
  }
  const trie = new Trie({ keyBytes: 32, depth: space.prefix.length })
  const holdings = new Holdings(space.prefix.length)
  const add = (cells: readonly CellDelta[]): void => {
    const leaves: LeafChange[] = []
    for (const { path, record } of cells) {
      if (record === null) continue
      leaves.push({ key: path, leaf: cellLeaf(path, record) })
      const cell = openRecord(record, path)
      holdings.add(path, cell.balance + depositPerByte * BigInt(cell.depositBytes))
    }
    trie.update(leaves)
  }
  for await (const batch of store.cells()) {
    add(batch.filter(({ path }) => !changed.has(idKey(path))))
  }
  add([...changed.values()].sort((a, b) => Buffer.compare(a.path, b.path)))
  check(space, header.height, 'cells', header.cellsRoot, trie.root)

  const waiting = (await store.deferred()).map(({ key, message }) => ({
    key,
    encoded: message,
    message: decodeMessage(message),
  }))
  const { root } = deferredTrie(waiting, space.prefix.length)
  check(space, header.height, 'deferred messages', header.deferredRoot, root)
  let held = holdings.total
  for (const { message } of waiting) held += message.value
  if (held !== stored.holdings) {
    throw new StateMismatchError(
      `shard ${space.id} holds ${held} at height ${header.height}, its last block says ${stored.holdings}`,
    )
  }
  const totals = { holdings: stored.holdings, emitted: stored.emitted, consumed: stored.consumed }
  const tip = tipAfter(header, { hash: stored.hash, bodyBytes: stored.bodyBytes, totals })
  const { random, exports } = await store.rootMoment(header.rootCursor)
  const view = RootView.EMPTY.with(exports)
  return { tip, trie, holdings, waiting, random, view, unfolded: changed, header: stored.header }
}

function check(space: ShardSpace, height: number, what: string, expected: Uint8Array, found: Uint8Array): void {
  if (equal(expected, found)) return
  throw new StateMismatchError(
    `shard ${space.id}, height ${height}: the stored ${what} give root ${toHex(found)}, the header commits ${toHex(expected)}`,
  )
}
