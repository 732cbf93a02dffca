import { type Log, pause } from '../../../server/plugin.ts'
import type { Fence } from '../fence.ts'
import { explain } from './explain.ts'
import type { HostDatabases } from './host-databases.ts'
import { HostError } from './host-store.ts'
import { EventsLostError, listedEvents } from './listed-events.ts'

const RETRY_MS = 300
/** Blocks that nobody told of are found after this time. */
const LOOK_EVERY_MS = 2_000

export interface EventRelayParts {
  readonly databases: HostDatabases
  readonly fence: Fence
  readonly log: Log
  /** Tells the event stream that there is something new. */
  readonly onEvents: () => void
  /** Told of what time does not mend: the code of what keeps a shard's events; undefined once they come. */
  readonly onTrouble: (shard: string, code: string | undefined) => void
}

/**
 * Brings the events of blocks that were made on shard hosts into the node's own event stream, as soon as the root chain
 * lists them: each block's once, in the order of the shard's blocks. How far it got is stored together with them. What
 * was handed over is removed there.
 */
export class EventRelay {
  readonly #parts: EventRelayParts
  readonly #over = new AbortController()
  readonly #wakes = new Map<string, () => void>()
  readonly #loops = new Map<string, Promise<void>>()
  /** Shards that make no more blocks. */
  readonly #ended = new Set<string>()

  constructor(parts: EventRelayParts) {
    this.#parts = parts
  }

  /**
   * Hands over what a shard of a shard host has and will have. One that was split off comes after its parent, if that is
   * followed: then its first events stand behind its parent's last ones.
   */
  follow(shard: string): void {
    if (this.#loops.has(shard) || this.#over.signal.aborted) return
    const parent = this.#loops.get(shard.slice(0, -1)) ?? Promise.resolve()
    this.#loops.set(
      shard,
      parent.then(() => this.#keep(shard)),
    )
  }

  /** A root block may list new blocks of the shard, or the last ones of its parent. */
  wake(shard: string): void {
    for (const id of [shard.slice(0, -1), shard]) this.#wakes.get(id)?.()
  }

  /** The shard makes no more blocks: it is done with once its last events are handed over. */
  end(shard: string): void {
    this.#ended.add(shard)
    this.wake(shard)
  }

  async stop(): Promise<void> {
    this.#over.abort()
    await Promise.all(this.#loops.values())
  }

  async #keep(shard: string): Promise<void> {
    const { signal } = this.#over
    /** What was complained of last, until it is well again. */
    let trouble: string | undefined
    /** Whether what was handed over may still be there. */
    let isLeft = true
    while (!signal.aborted) {
      const woken = new AbortController()
      this.#wakes.set(shard, () => woken.abort())
      const isEnded = this.#ended.has(shard)
      try {
        const stand = await this.#handOver(shard, isLeft || isEnded)
        if (stand === 'more' || isLeft) await this.#clear(shard)
        isLeft = false
        if (trouble !== undefined) this.#parts.onTrouble(shard, undefined)
        trouble = undefined
        if (stand === 'done' && isEnded) return
        if (stand !== 'more') await pause(LOOK_EVERY_MS, AbortSignal.any([signal, woken.signal]))
      } catch (error) {
        const reason = explain(error)
        if (reason.code === 'FENCED') return
        if (reason.code !== trouble) this.#tell(shard, error)
        trouble = reason.code
        isLeft = true
        await pause(RETRY_MS, signal)
      }
    }
  }

  #tell(shard: string, error: unknown): void {
    const { log, onTrouble } = this.#parts
    const { code, message } = explain(error)
    const isLasting = error instanceof HostError || error instanceof EventsLostError
    onTrouble(shard, isLasting ? code : undefined)
    if (isLasting) log.error({ shard, code }, message)
    else log.warn({ shard, error: { code, message } }, 'events of a shard host wait; trying again')
  }

  async #handOver(shard: string, looksAnyway: boolean): Promise<'more' | 'waiting' | 'done'> {
    const { databases, fence, onEvents } = this.#parts
    const home = databases.homes.of(shard)
    // It is just about to be born.
    if (typeof home !== 'string') return 'waiting'
    const { next, isAll } = await listedEvents(databases, { shard, host: home, looksAnyway })
    const last = next.at(-1)
    if (last === undefined) return isAll ? 'done' : 'waiting'
    await databases.main.begin(async (tx) => {
      await tx`SELECT core.check_fence(${fence.lease}, ${fence.fence})`
      for (const { height, topics, count, body } of next)
        await tx`
          INSERT INTO core.event_batch (shard, height, topics, count, body)
          VALUES (${shard}, ${height}, ${topics}, ${count}, ${body})`
      await tx`
        INSERT INTO event_relay (shard, height) VALUES (${shard}, ${last.height})
        ON CONFLICT (shard) DO UPDATE SET height = excluded.height`
    })
    onEvents()
    return 'more'
  }

  /** Removes what was handed over. Whoever reads events looks there first, then here: they go only after they came. */
  async #clear(shard: string): Promise<void> {
    const { databases } = this.#parts
    const home = databases.homes.of(shard)
    if (typeof home !== 'string') return
    const upTo = await this.#cursor(shard)
    await databases.within(
      databases.at(home),
      async (sql) => sql`DELETE FROM core.event_batch WHERE shard = ${shard} AND height <= ${upTo}`,
    )
  }

  async #cursor(shard: string): Promise<bigint> {
    const [row] = await this.#parts.databases.main<{ height: bigint }[]>`
      SELECT height FROM event_relay WHERE shard = ${shard}`
    return row?.height ?? -1n
  }
}
