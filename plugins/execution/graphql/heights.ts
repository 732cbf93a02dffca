import type { Context } from '../../../schema/index.ts'
import type { BlockPlace, Ledger } from '../api.ts'
import { LedgerNotStartedError } from '../ledger-handle.ts'

/** What the root chain is called among shards. */
export const ROOT = 'root'

/** Heights by shard, with the root chain's. */
export type Heights = ReadonlyMap<string, number>

/** How old heights may be that answers are held against: they are then lower, which is safe. */
const RECENT_MS = 20

const NONE: Heights = new Map()

/** The heights of the ledger, and what requests have seen of them. */
export class HeightBook {
  readonly #ledger: () => Ledger
  readonly #byContext = new WeakMap<Context, Seen>()
  #recent: Heights = NONE
  #readAt = Number.NEGATIVE_INFINITY

  /** The service is taken when it is needed: a schema can be built without it. */
  constructor(ledger: () => Ledger) {
    this.#ledger = ledger
  }

  /** As they are. @throws LedgerNotStartedError */
  present(): Heights {
    const ledger = this.#ledger()
    const heights = new Map(ledger.shards().map(({ id, height }) => [id, height]))
    return heights.set(ROOT, ledger.rootHeight())
  }

  /** What a request has seen; begun when it is first asked for, which must be before anything is read. */
  seenBy(context: Context): Seen {
    const known = this.#byContext.get(context)
    if (known !== undefined) return known
    const seen = new Seen(context, this.#atMost())
    this.#byContext.set(context, seen)
    return seen
  }

  /** Begins anew: what is read from now on is of the present. */
  renew(context: Context): void {
    this.#byContext.delete(context)
  }

  #atMost(): Heights {
    const now = performance.now()
    if (now - this.#readAt < RECENT_MS) return this.#recent
    try {
      this.#recent = this.present()
    } catch (error) {
      // Blocks can be read from the database before there is a ledger; how far it got is not known yet.
      if (!(error instanceof LedgerNotStartedError)) throw error
      this.#recent = NONE
    }
    this.#readAt = now
    return this.#recent
  }
}

/**
 * The shards that one request has looked at, for `extensions.height`: each with a height that everything it read there
 * is at least as new as. A client that sends them back as `atLeastHeight` never sees an older state.
 */
export class Seen {
  readonly #context: Context
  readonly #heights: Heights

  constructor(context: Context, heights: Heights) {
    this.#context = context
    this.#heights = heights
  }

  /** The request looks at something in this shard. */
  shard(id: string | undefined): void {
    if (id === undefined) return
    const height = this.#heights.get(id)
    if (height !== undefined) this.#note(id, height)
  }

  /** The request has seen a block, or what it did. */
  block({ shard, height }: BlockPlace): void {
    this.#note(shard, height)
  }

  #note(shard: string, height: number): void {
    const { responseExtensions } = this.#context
    const known = responseExtensions.height
    if (isHeights(known)) {
      if ((known[shard] ?? -1) < height) known[shard] = height
    } else responseExtensions.height = { [shard]: height }
  }
}

const isHeights = (value: unknown): value is Record<string, number> => typeof value === 'object' && value !== null
