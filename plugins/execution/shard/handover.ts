import { shardHolds } from '../../../protocol/index.ts'
import type { CellStore } from '../state/cell-store.ts'
import { idKey } from '../state/ledger-cell.ts'
import type { PooledBatch } from './batch.ts'
import type { ChildState, Estate } from './child-state.ts'
import type { PoolEntry } from './pool-entry.ts'
import type { ShardSeed } from './shard-seed.ts'
import { shardSpace } from './shard-space.ts'
import { seedOf } from './split-shard.ts'

/** What a shard that was split hands over in memory to one of its children. */
export interface Handover {
  readonly shard: string
  readonly seed: ShardSeed
  /** Transactions that wait for a block: they follow their senders. */
  readonly pool: PooledBatch
}

/** The transactions of these that belong to a shard, in their order, packed. */
function pooledFor(
  shard: string,
  entries: readonly PoolEntry[],
  pathOf: (key: string, id: Uint8Array) => Uint8Array,
): PooledBatch {
  const space = shardSpace(shard)
  const own = entries.filter(({ transaction: { realm, sender } }) =>
    shardHolds(space, realm, pathOf(idKey(sender), sender)),
  )
  const lengths = Uint32Array.from(own, ({ wire }) => wire.length)
  const data = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0))
  const ids = new Uint8Array(32 * own.length)
  let at = 0
  own.forEach(({ wire, transaction }, i) => {
    data.set(wire, at)
    at += wire.length
    ids.set(transaction.id, 32 * i)
  })
  return { ids, lengths, data }
}

/** What a child gets. `pooled`: all transactions that waited; `cells` knows paths. */
export const handoverTo = (
  child: ChildState,
  estate: Estate,
  pooled: readonly PoolEntry[],
  cells: Pick<CellStore, 'pathOf'>,
): Handover => ({
  shard: child.header.shard,
  seed: seedOf(child, estate),
  pool: pooledFor(child.header.shard, pooled, (key, id) => cells.pathOf(key, id)),
})
