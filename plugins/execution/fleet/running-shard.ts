import type { ShardState } from '../api.ts'
import type { Destination } from '../gateway/router.ts'
import type { RootFeeder } from '../root/feeder.ts'
import type { PooledBatch } from '../shard/batch.ts'
import type { StoredShard } from '../shard/shard-hosts.ts'
import { shardSpace } from '../shard/shard-space.ts'

/** Of a shard whose blocks are not known yet. */
export const NO_ROOT = new Uint8Array(32)

/** A shard that runs, or is to run: its host, and what it told last. */
export interface RunningShard extends Destination {
  readonly parent: string | null
  readonly feeder: RootFeeder
  /** Up to which its blocks were taken in; -1 before its first. */
  height: number
  stateRoot: Uint8Array
  status: ShardState['status']
  /** Why it is stopped. */
  problem?: string
  load: number
  mempool: ShardState['mempool']
  /** Reports that wait until earlier blocks are taken in. */
  held?: (() => void)[] | undefined
  /** It was ready once: until then its parent answers. */
  answers: boolean
  /** What it has to take over from the shard that it was split off from. */
  inheritance?: Inheritance | undefined
  /** When it was made, as `performance.now` tells it. */
  readonly since: number
}

/** What waits for a shard that was split off. */
export interface Inheritance {
  readonly from: RunningShard
  /** Undefined if nothing was in memory. */
  readonly pool: PooledBatch | undefined
}

/** A shard whose children go on. */
export interface EndedShard extends Pick<RunningShard, 'space' | 'parent' | 'height' | 'stateRoot'> {}

/** A shard that was split before this node started. */
export const endedShard = ({ id, parent, last }: StoredShard): EndedShard => ({
  space: shardSpace(id),
  parent,
  height: last?.height ?? 0,
  stateRoot: last?.stateRoot ?? NO_ROOT,
})

/** True if a shard that is down is going to run again, or its children take over, and what waited there goes to them. */
export const isBack = ({ host, status }: RunningShard): boolean =>
  status === 'SPLIT' || (host.status === 'RESTARTING' && host.losesPool !== true)
