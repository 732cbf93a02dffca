import { cellPath } from '../../../protocol/index.ts'
import { MAX_BLOCK_WEIGHT } from '../ledger/rules.ts'
import type { PoolEntry } from './pool-entry.ts'
import { type ShardSpace, shardSpace } from './shard-space.ts'

/** How much a shard has to do, as its last block says. */
export interface ShardLoad {
  readonly shard: string
  /** What it ran and what waits in it, in percent of a block. */
  readonly congestion: number
  /** How many others may send to it. */
  readonly senders: number
}

/** From here on a shard gets less of what others would send it, and from here on nothing. Percent of a block. */
export const CONGESTED = 100
export const CLOSED = 300

/**
 * The weight of transactions for a congested shard that another may put into its blocks between two root blocks: from
 * a whole block at `CONGESTED`, for all senders together, down to none at `CLOSED`.
 */
export function allowance({ congestion, senders }: Pick<ShardLoad, 'congestion' | 'senders'>): number {
  const part = Math.min(Math.max(CLOSED - congestion, 0) / (CLOSED - CONGESTED), 1)
  return Math.floor((MAX_BLOCK_WEIGHT * part) / Math.max(senders, 1))
}

/** A congested shard, and what waits for it. */
interface Destination {
  readonly id: string
  readonly space: ShardSpace
  readonly senders: number
  /** Root blocks since it was congested: with each, more of what waited for it may go, until nothing waits. */
  readonly calm: number
  /** Weight that may still go there before the next root block. */
  left: number
  readonly waiting: Set<PoolEntry>
}

/**
 * Holds back transactions for shards that have too much to do, first come, first served for each: else messages would
 * pile up in them without end. It is what a proposer takes from its mempool, and no rule of the chain.
 */
export class Throttle {
  readonly #own: string
  readonly #most: number
  #destinations = new Map<string, Destination>()

  /** `most`: entries that wait for one shard before more of them are refused. */
  constructor(own: string, most: number) {
    this.#own = own
    this.#most = most
  }

  /**
   * Takes the load of the other shards over, as of another root block, and gives what need not wait any longer, in
   * order. Those that it does not name are not congested.
   */
  update(loads: readonly ShardLoad[]): PoolEntry[] {
    const before = this.#destinations
    this.#destinations = new Map()
    for (const load of loads) {
      const { shard: id, senders } = load
      if (load.congestion < CONGESTED || id === this.#own) continue
      const { space = shardSpace(id), waiting = new Set<PoolEntry>() } = before.get(id) ?? {}
      this.#destinations.set(id, { id, space, senders, calm: 0, left: allowance(load), waiting })
    }
    // Letting all go at once that waited, here and in the other shards, would only congest it again.
    for (const [id, { space, senders, calm, waiting }] of before) {
      if (this.#destinations.has(id) || waiting.size === 0) continue
      const left = (calm + 1) * allowance({ congestion: CONGESTED, senders })
      this.#destinations.set(id, { id, space, senders, calm: calm + 1, left, waiting })
    }
    const released: PoolEntry[] = []
    for (const destination of this.#destinations.values()) {
      for (const entry of destination.waiting) {
        if (destination.left <= 0) break
        destination.left -= entry.weight
        destination.waiting.delete(entry)
        entry.cleared = [...entry.cleared, destination.id]
        released.push(entry)
      }
    }
    return released
  }

  /** True if the entry may go into a block; otherwise it is kept here until `update` gives it back. */
  admit(entry: PoolEntry): boolean {
    if (this.#destinations.size === 0) return true
    const destinations = this.#of(entry).filter(({ id }) => !entry.cleared.includes(id))
    const busy = destinations.find(({ left, waiting }) => left <= 0 || waiting.size > 0)
    busy?.waiting.add(entry)
    if (busy !== undefined) return false
    for (const destination of destinations) destination.left -= entry.weight
    return true
  }

  /** A congested shard that the entry goes to and for which too many wait; undefined if there is none. */
  refuses(entry: PoolEntry): string | undefined {
    const full = [...this.#destinations.values()].filter(({ waiting }) => waiting.size >= this.#most)
    return full.length === 0 ? undefined : this.#of(entry).find((destination) => full.includes(destination))?.id
  }

  /** It waits here no longer. */
  remove(entry: PoolEntry): void {
    for (const { waiting } of this.#destinations.values()) waiting.delete(entry)
  }

  #of({ transaction }: PoolEntry): Destination[] {
    const all = [...this.#destinations.values()]
    const realms = new Set(all.map(({ space }) => space.realm))
    const paths = transaction.actions
      .filter(({ realm }) => realms.has(realm))
      .map(({ realm, to }) => ({ realm, path: cellPath(to) }))
    return all.filter(({ space }) => paths.some(({ realm, path }) => realm === space.realm && space.contains(path)))
  }
}
