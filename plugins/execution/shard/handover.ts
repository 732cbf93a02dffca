import { shardHolds } from '../../../protocol/index.ts'
import { idKey } from '../state/ledger-cell.ts'
import type { PooledBatch } from './batch.ts'
import type { PoolEntry } from './pool-entry.ts'
import type { ShardSeed } from './shard-seed.ts'
import { shardSpace } from './shard-space.ts'

/** What a shard that was split hands over in memory to one of its children. */
export interface Handover {
  readonly shard: string
  readonly seed: ShardSeed
  /** Transactions that wait for a block: they follow their senders. */
  readonly pool: PooledBatch
}

/** The transactions of these that belong to a shard, in their order, packed. */
export function pooledFor(
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
