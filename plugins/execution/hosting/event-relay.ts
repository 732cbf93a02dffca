import { type Log, pause, type Sql } from '../../../server/plugin.ts'
import type { Fence } from '../fence.ts'
import { explain } from './explain.ts'
import type { HostDatabases } from './host-databases.ts'

/** Blocks whose events are handed over in one transaction. */
const PAGE = 64
/** Bytes of events after which such a transaction ends early. */
const MAX_BYTES = 8 * 1024 * 1024
const RETRY_MS = 300
/** Blocks that nobody told of are found after this time. */
const LOOK_EVERY_MS = 2_000

export interface EventRelayParts {
  readonly databases: HostDatabases
  readonly fence: Fence
  readonly log: Log
  /** Tells the event stream that there is something new. */
  readonly onEvents: () => void
}

interface BatchRow {
  readonly height: bigint
  readonly topics: string[]
  readonly count: number
  readonly body: Uint8Array
}

/**
 * Brings the events of blocks that were made on shard hosts into the node's own event stream: each block's once, in the
 * order of the shard's blocks. How far it got is stored together with them. What was handed over is removed there.
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

  /** The shard has a new durable block. */
  wake(shard: string): void {
    this.#wakes.get(shard)?.()
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
    let isTrouble = false
    /** Whether what was handed over may still be there. */
    let isLeft = true
    while (!signal.aborted) {
      const woken = new AbortController()
      this.#wakes.set(shard, () => woken.abort())
      const isEnded = this.#ended.has(shard)
      try {
        const more = await this.#handOver(shard)
        if (more || isLeft) await this.#clear(shard)
        isLeft = false
        isTrouble = false
        if (!more && isEnded) return
        if (!more) await pause(LOOK_EVERY_MS, AbortSignal.any([signal, woken.signal]))
      } catch (error) {
        const reason = explain(error)
        if (reason.code === 'FENCED') return
        if (!isTrouble) this.#parts.log.warn({ shard, error: reason }, 'events of a shard host wait; trying again')
        isTrouble = true
        isLeft = true
        await pause(RETRY_MS, signal)
      }
    }
  }

  /** True if there may be more. */
  async #handOver(shard: string): Promise<boolean> {
    const { databases, fence, onEvents } = this.#parts
    const home = databases.homes.of(shard)
    // It is just about to be born.
    if (typeof home !== 'string') return false
    const there = databases.at(home)
    const after = await this.#cursor(shard)
    const rows = await databases.within(there, (sql) => batchesAfter(sql, shard, after))
    const last = rows.at(-1)
    if (last === undefined) return false
    await databases.main.begin(async (tx) => {
      await tx`SELECT core.check_fence(${fence.lease}, ${fence.fence})`
      for (const { height, topics, count, body } of rows)
        await tx`
          INSERT INTO core.event_batch (shard, height, topics, count, body)
          VALUES (${shard}, ${height}, ${topics}, ${count}, ${body})`
      await tx`
        INSERT INTO event_relay (shard, height) VALUES (${shard}, ${last.height})
        ON CONFLICT (shard) DO UPDATE SET height = excluded.height`
    })
    onEvents()
    return true
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

/** The next batches behind a height, at least one if there is any. Each block has one. */
async function batchesAfter(sql: Sql, shard: string, after: bigint): Promise<readonly BatchRow[]> {
  return sql<BatchRow[]>`
    SELECT height, topics, count, body FROM (
      SELECT near.*, sum(octet_length(body)) OVER (ORDER BY height) - octet_length(body) AS before FROM (
        SELECT height, topics, count, body FROM core.event_batch
        WHERE shard = ${shard} AND height > ${after} ORDER BY height LIMIT ${PAGE}
      ) AS near
    ) AS piece
    WHERE before < ${MAX_BYTES} ORDER BY height`
}
