import { type Health, type Log, type Peers, pause } from '../../../server/plugin.ts'
import { Snapshots } from './calls.ts'
import type { Snapshot } from './snapshot.ts'

const RETRY_MS = 100

/** What this node knows of the ledger without asking: what the leader last told. */
export class Mirror {
  readonly #known = Promise.withResolvers<void>()
  #snapshot: Snapshot | undefined
  #hasLeader = false
  readonly #onLeader: (fence: bigint) => void

  /** `onLeader` is told of each new leader, by its fence. */
  constructor(onLeader: (fence: bigint) => void) {
    this.#onLeader = onLeader
  }

  /** Resolves with the first snapshot. */
  get known(): Promise<void> {
    return this.#known.promise
  }

  /** Shards of a ledger that nobody leads are RESTARTING. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot
  }

  health(): Health {
    if (this.#snapshot === undefined) return { ok: false, message: 'the ledger is starting' }
    return this.#hasLeader ? this.#snapshot.health : { ok: false, message: 'no node makes blocks now' }
  }

  /** Follows the leaders, one after the other, until the signal aborts. */
  async follow(peers: Peers, signal: AbortSignal, log: Log): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const snapshot of peers.stream(Snapshots, null, { signal })) {
          const isNew = snapshot.fence !== this.#snapshot?.fence
          this.#snapshot = snapshot
          this.#hasLeader = true
          this.#known.resolve()
          if (isNew) this.#onLeader(snapshot.fence)
        }
      } catch (error) {
        log.debug({ error: String(error) }, 'no leader tells how the ledger is; looking for another')
      }
      this.#hasLeader = false
      if (this.#snapshot !== undefined) {
        const shards = this.#snapshot.shards.map((shard) =>
          shard.status === 'SPLIT' ? shard : { ...shard, status: 'RESTARTING' as const },
        )
        this.#snapshot = { ...this.#snapshot, shards }
      }
      await pause(RETRY_MS, signal)
    }
  }
}
