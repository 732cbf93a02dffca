import { encodeCommittedHeader, type ListProof, listProof } from '../../../protocol/index.ts'
import { apart, type Sql } from '../../../server/plugin.ts'
import type { BlockPlace } from '../api.ts'
import { placeKey } from '../query/blocks.ts'
import { listedAt, type RootEntries, rootEntries } from '../query/root-blocks.ts'
import { decodeEntries } from '../root/root-store.ts'
import type { RootWait } from './root-wait.ts'

/** Where a root block lists a block. */
export interface Listing {
  /** CBOR of the root block's header. */
  readonly root: Uint8Array
  readonly place: ListProof
}

/** A block was not listed in time: root blocks come late, or the block does not exist. */
export class NotListedError extends Error {
  override readonly name = 'NotListedError'
  readonly code = 'NOT_LISTED_YET'
}

/** A block was listed by a root block that is not in this database: it was made from a later snapshot. */
export class ListingGoneError extends Error {
  override readonly name = 'ListingGoneError'
  readonly code = 'HISTORY_MISSING'
}

/** Root blocks come every 100 ms while there is work. */
const LISTED_WITHIN_MS = 5_000
/** Blocks that are waited for at a time. */
const MAX_WAITING = 10_000

interface Waiting {
  readonly place: BlockPlace
  readonly until: number
  readonly found: PromiseWithResolvers<Listing>
  /** How far the root chain was when it was last looked for. */
  seen: number
}

/**
 * Finds where root blocks list the blocks of shards. A block is durable a little before a root block lists it, so it is
 * waited for: what is proven is then as new as what the node would answer without a proof.
 */
export class Listings {
  readonly #sql: () => Sql
  readonly #roots: RootWait
  readonly #withinMs: number
  readonly #waiting = new Map<string, Waiting>()
  /** Those of them that were not looked for yet. */
  #fresh: Waiting[] = []
  #isWaiting = false

  /** @param withinMs how long a block that is durable may take to be listed */
  constructor(sql: () => Sql, roots: RootWait, withinMs = LISTED_WITHIN_MS) {
    this.#sql = sql
    this.#roots = roots
    this.#withinMs = withinMs
  }

  /** Where a block is listed. @throws NotListedError, ListingGoneError, or whatever the database says */
  async of(place: BlockPlace): Promise<Listing> {
    const key = placeKey(place)
    const known = this.#waiting.get(key)
    if (known !== undefined) return known.found.promise
    if (this.#waiting.size >= MAX_WAITING) throw new NotListedError('too many blocks are waited for: ask again later')
    const until = performance.now() + this.#withinMs
    const waiting = { place, until, found: Promise.withResolvers<Listing>(), seen: -1 }
    this.#waiting.set(key, waiting)
    this.#fresh.push(waiting)
    // What else is asked for at the same time comes in the same statement. Whoever asked first may leave.
    if (this.#fresh.length === 1) apart(() => queueMicrotask(() => void this.#lookForFresh()))
    return waiting.found.promise
  }

  async #lookForFresh(): Promise<void> {
    const fresh = this.#fresh
    this.#fresh = []
    await this.#lookFor(fresh)
    if (this.#isWaiting) return
    this.#isWaiting = true
    while (this.#waiting.size > 0) {
      const waiting = [...this.#waiting.values()]
      const left = Math.max(0, Math.min(...waiting.map(({ until }) => until)) - performance.now())
      await this.#roots.beyond(Math.min(...waiting.map(({ seen }) => seen)), AbortSignal.timeout(Math.ceil(left)))
      await this.#lookFor([...this.#waiting.values()])
    }
    this.#isWaiting = false
  }

  /** Settles those that are listed, and those whose time is over. */
  async #lookFor(wanted: readonly Waiting[]): Promise<void> {
    try {
      const { height } = this.#roots
      const sql = this.#sql()
      const places = wanted.map(({ place }) => place)
      const roots = await listedAt(sql, places)
      const heights = new Set(roots.filter((root) => typeof root === 'number'))
      const lists = heights.size === 0 ? NONE : await rootEntries(sql, [...heights])
      const now = performance.now()
      for (const [i, waiting] of wanted.entries()) {
        waiting.seen = height
        const root = roots[i]
        const list = typeof root === 'number' ? lists.get(root) : undefined
        if (root === 'GONE') this.#end(waiting, ({ reject }) => reject(gone(waiting.place)))
        else if (list !== undefined) this.#end(waiting, ({ resolve }) => resolve(listingOf(list, waiting.place)))
        else if (now >= waiting.until) this.#end(waiting, ({ reject }) => reject(notListed(waiting.place)))
      }
    } catch (error) {
      for (const waiting of wanted) this.#end(waiting, ({ reject }) => reject(error))
    }
  }

  #end(waiting: Waiting, settle: (found: PromiseWithResolvers<Listing>) => void): void {
    const key = placeKey(waiting.place)
    // Two looks may settle one; then the place may be waited for again already.
    if (this.#waiting.get(key) === waiting) this.#waiting.delete(key)
    settle(waiting.found)
  }
}

const NONE: ReadonlyMap<number, RootEntries> = new Map()

const notListed = ({ shard, height }: BlockPlace): NotListedError =>
  new NotListedError(`no root block lists block ${height} of shard ${shard} yet: ask again`)

const gone = ({ shard, height }: BlockPlace): ListingGoneError =>
  new ListingGoneError(
    `the root block that lists block ${height} of shard ${shard} is not here, where a snapshot began: ask a node that has it`,
  )

function listingOf({ header, entries }: RootEntries, { shard, height }: BlockPlace): Listing {
  const list = decodeEntries(entries)
  const index = list.findIndex((entry) => entry.shard === shard && entry.height === height)
  return { root: header, place: listProof(list.map(encodeCommittedHeader), index) }
}
