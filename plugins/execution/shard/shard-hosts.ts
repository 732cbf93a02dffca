import { decodeHeader, decodeSplitProof } from '../../../protocol/index.ts'
import type { Log, Sql } from '../../../server/plugin.ts'
import type { ShardHost } from './shard-host.ts'
import type { ShardSeed } from './shard-seed.ts'
import { EarlyThreads } from './shard-thread.ts'
import type { ShardWorkerData } from './worker.ts'
import { WorkerShardHost } from './worker-host.ts'

/** A shard that has its first block. */
export interface StoredShard {
  readonly id: string
  readonly parent: string | null
  /** It has its last block, too, and its children have their first ones. */
  readonly isSplit: boolean
  /** Of its last block, if it is split and somebody here knows. */
  readonly last?: { readonly height: number; readonly stateRoot: Uint8Array }
}

/** Makes the hosts of shards, wherever these are to run. */
export interface ShardHosts {
  /** All shards that have a block, split ones too, in whichever database they are. */
  stored(): Promise<readonly StoredShard[]>
  /**
   * The host of a shard, not started. A shard that has no block yet makes its first one at its start, if the root chain
   * says that it begins; one that was split off has got it from its parent.
   * @param seed what its parent handed over, for the first start; a host may leave it and read the database
   * @param from the root height from which on it exists, of a shard that was split off from none after genesis
   */
  create(id: string, seed?: ShardSeed, from?: number): ShardHost
  /** The shard is about to be split off: what takes time and can be done before is begun. Repeating it does nothing. */
  prepare(id: string): void
  /** Ends what was prepared and not needed. */
  close(): Promise<void>
}

/** What all shards of a leader have in common. */
export type SharedShardData = Omit<ShardWorkerData, 'shard' | 'seed' | 'from'>

/** Every shard in a thread of this process, all in one database. */
export class ThreadHosts implements ShardHosts {
  readonly #sql: Sql
  readonly #data: SharedShardData
  readonly #log: Log
  readonly #early = new EarlyThreads()

  constructor(sql: Sql, data: SharedShardData, log: Log) {
    this.#sql = sql
    this.#data = data
    this.#log = log
  }

  async stored(): Promise<readonly StoredShard[]> {
    return storedShards(this.#sql)
  }

  create(id: string, seed?: ShardSeed, from?: number): ShardHost {
    const birth = { ...(seed && { seed }), ...(from !== undefined && { from }) }
    return new WorkerShardHost({ ...this.#data, shard: id, ...birth }, this.#log, undefined, this.#early)
  }

  prepare(id: string): void {
    this.#early.prepare({ ...this.#data, shard: id })
  }

  async close(): Promise<void> {
    await this.#early.close()
  }
}

/** The shards of one database, parents first. */
export async function storedShards(sql: Sql): Promise<readonly StoredShard[]> {
  const rows = await sql<{ id: string; parent: string | null; split: Uint8Array | null }[]>`
    SELECT id, parent, split FROM shard ORDER BY length(id), id`
  return rows.map(({ id, parent, split }) => {
    if (split === null) return { id, parent, isSplit: false }
    const { height, cellsRoot } = decodeHeader(decodeSplitProof(split).parent)
    return { id, parent, isSplit: true, last: { height, stateRoot: cellsRoot.slice() } }
  })
}
