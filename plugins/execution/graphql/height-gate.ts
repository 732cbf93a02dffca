import { z } from 'zod'
import { apiError, type Context } from '../../../schema/index.ts'
import type { Host } from '../../../server/plugin.ts'
import { Ledger } from '../api.ts'
import { LedgerNotStartedError } from '../ledger-handle.ts'
import { HeightBook, type Heights } from './heights.ts'

/** How many shards a request may name. */
const MAX_SHARDS_NAMED = 100
const POLL_MS = 10

const height = z
  .union([z.int().min(0), z.string().regex(/^(0|[1-9][0-9]{0,15})$/)])
  .transform(Number)
  .refine(Number.isSafeInteger)
const AtLeast = z.record(z.string().regex(/^(root|\d{1,10}:[01]{0,64})$/), height)

interface Waiter {
  readonly wanted: readonly (readonly [shard: string, height: number])[]
  readonly until: number
  readonly context: Context
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Holds requests until the ledger is as far as they say in `extensions.atLeastHeight`: so a client reads its own writes,
 * whichever node it asks. One timer serves all who wait.
 */
export class HeightGate {
  readonly #book: HeightBook
  readonly #waitMs: number
  readonly #waiting = new Set<Waiter>()
  #timer: NodeJS.Timeout | undefined

  constructor(book: HeightBook, waitSeconds: number) {
    this.#book = book
    this.#waitMs = waitSeconds * 1000
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /**
   * Lets a request through: at once if it names no height, or one that was reached.
   * @throws GraphQLError HEIGHT_NOT_REACHED, or BAD_USER_INPUT for what is not a map of shards to heights
   */
  pass(context: Context): Promise<void> | undefined {
    const asked = context.requestExtensions.atLeastHeight
    if (asked === undefined) return undefined
    const wanted = Object.entries(parse(asked))
    const heights = this.#present()
    if (wanted.every(([shard, least]) => isReached(heights, shard, least))) return undefined
    return new Promise((resolve, reject) => {
      this.#waiting.add({ wanted, context, until: performance.now() + this.#waitMs, resolve, reject })
      this.#timer ??= setInterval(() => this.#look(), POLL_MS).unref()
    })
  }

  #look(): void {
    const heights = this.#present()
    const now = performance.now()
    for (const waiter of this.#waiting) {
      const missing = waiter.wanted.find(([shard, least]) => !isReached(heights, shard, least))
      const { aborted } = waiter.context.signal
      if (missing !== undefined && now < waiter.until && !aborted) continue
      this.#waiting.delete(waiter)
      if (missing === undefined) waiter.resolve()
      else waiter.reject(notReached(missing, heights.get(missing[0]), this.#waitMs))
    }
    if (this.#waiting.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Nothing is reached while the ledger is starting. */
  #present(): Heights {
    try {
      return this.#book.present()
    } catch (error) {
      if (error instanceof LedgerNotStartedError) return new Map()
      throw error
    }
  }
}

const Config = z.object({ heightWaitSeconds: z.number().default(5) })

/** Seconds that a request may wait. */
export const heightWaitSeconds = (host: Host): number => Config.parse(host.config ?? {}).heightWaitSeconds

const gates = new WeakMap<object, HeightGate>()

/** The gate of a host: one for all its requests. */
export function heightGateOf(host: Host): HeightGate {
  const gate = gates.get(host) ?? new HeightGate(new HeightBook(() => host.own(Ledger)), heightWaitSeconds(host))
  gates.set(host, gate)
  return gate
}

const isReached = (heights: Heights, shard: string, least: number): boolean => (heights.get(shard) ?? -1) >= least

function parse(asked: unknown): Readonly<Record<string, number>> {
  const parsed = AtLeast.safeParse(asked)
  if (parsed.success && Object.keys(parsed.data).length <= MAX_SHARDS_NAMED) return parsed.data
  throw apiError(
    'BAD_USER_INPUT',
    `\`extensions.atLeastHeight\` must be an object of at most ${MAX_SHARDS_NAMED} shards, or "root", with their heights, ` +
      'like { "0:01": 12 }. Pass what `extensions.height` of an answer says.',
  )
}

function notReached([shard, wanted]: readonly [string, number], present: number | undefined, waitMs: number) {
  const where = present === undefined ? `knows no shard ${shard}` : `is at height ${present} of ${shard}`
  return apiError(
    'HEIGHT_NOT_REACHED',
    `This node ${where}, not at ${wanted}, after ${waitMs / 1000} s. Ask again, or ask another node.`,
    { shard, wanted, height: present ?? null },
  )
}
