import { ROOT_SHARD } from '../../../protocol/index.ts'
import { type Log, pause } from '../../../server/plugin.ts'
import type { BlockPlace } from '../api.ts'
import type { RootDelivery, RootSource } from '../shard/inbox.ts'
import { indexOut, itemsFor, type OutIndex, splitOut } from '../shard/out-index.ts'
import type { ShardHost } from '../shard/shard-host.ts'
import type { ShardSpace } from '../shard/shard-space.ts'
import type { ShardLoad } from '../shard/throttle.ts'
import type { ExportChange } from './exports.ts'
import type { BringingRoot, RootStore } from './root-store.ts'

/** The out items of one committed block. */
export interface BlockOutgoing {
  readonly shard: string
  readonly height: number
  readonly bytes: Uint8Array
  readonly index: OutIndex
}

/** A root block with what its shard blocks sent. */
export interface RoutedRoot {
  readonly height: number
  /** Milliseconds since 1970. */
  readonly time: number
  readonly exports: readonly ExportChange[]
  readonly random: Uint8Array
  /** By source, the root chain itself last, then height. */
  readonly outgoing: readonly BlockOutgoing[]
}

/** Root blocks kept in memory; a shard that is further behind reads them from the database. */
const RECENT = 64
const PAGE = 100
const RETRY_MS = 200

/** The last root blocks, with the messages that they release. */
export class RecentRoots {
  readonly #roots = new Map<number, RoutedRoot>()
  #last = 0

  /** Height of the newest. */
  get last(): number {
    return this.#last
  }

  add(root: RoutedRoot): void {
    this.#roots.set(root.height, root)
    this.#last = root.height
    this.#roots.delete(root.height - RECENT)
  }

  /** Begins after a root block whose messages are not in memory. */
  startAfter(height: number): void {
    this.#last = height
  }

  get(height: number): RoutedRoot | undefined {
    return this.#roots.get(height)
  }
}

export interface RootFeederParts {
  readonly host: ShardHost
  readonly space: ShardSpace
  readonly recent: RecentRoots
  readonly store: RootStore
  /** The shards that are congested now. */
  readonly loads: () => readonly ShardLoad[]
  readonly log: Log
}

/**
 * Feeds root blocks to one shard, in order, each once: from memory while it keeps up, from the database after a restart.
 * The shard's own cursor is committed with its state, so what is fed twice is taken once.
 */
export class RootFeeder {
  readonly #parts: RootFeederParts
  #sent = 0
  #until = Number.POSITIVE_INFINITY
  #isRunning = false
  /** Counts the shard's starts: what was read for an earlier one must not be sent to a later one. */
  #run = 0
  #stopped = false
  #pumping: Promise<void> | undefined

  constructor(parts: RootFeederParts) {
    this.#parts = parts
  }

  /** The shard is ready and has consumed everything up to this root height. */
  resumeAfter(cursor: number): void {
    this.#sent = cursor
    this.#isRunning = true
    this.#run++
    this.pump()
  }

  /** The shard is split at this root height: it gets this root block, even if it brings nothing, and none after it. */
  endAt(height: number): void {
    this.#until = height
  }

  /** The shard is down: nothing is sent until it resumes. */
  pauseFeeding(): void {
    this.#isRunning = false
  }

  /** Sends what there is. */
  pump(): void {
    // In step, there is nothing to wait for: the delivery goes out at once.
    while (this.#canSend() && this.#pumping === undefined) {
      const root = this.#parts.recent.get(this.#sent + 1)
      if (root === undefined) {
        this.#pumping = this.#catchUp().finally(() => {
          this.#pumping = undefined
          this.pump()
        })
        return
      }
      this.#send(root)
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#pumping
  }

  #canSend(): boolean {
    return this.#isRunning && !this.#stopped && this.#sent < Math.min(this.#parts.recent.last, this.#until)
  }

  #send(root: RoutedRoot): void {
    const { host, space, loads } = this.#parts
    const sources = sourcesFor(root, space)
    const delivery: RootDelivery = {
      height: root.height,
      time: root.time,
      exports: root.exports,
      random: root.random,
      sources,
      loads: loads(),
    }
    host.deliver(delivery)
    this.#sent = root.height
  }

  /** Reads from the database until memory can go on. */
  async #catchUp(): Promise<void> {
    const { recent, store, log, host } = this.#parts
    const run = this.#run
    while (run === this.#run && this.#canSend() && recent.get(this.#sent + 1) === undefined) {
      try {
        const target = Math.min(recent.last, this.#until)
        const blocks = await store.after(this.#sent, PAGE)
        for (const block of blocks) {
          if (block.header.height > target) break
          const root = await routed(block, store)
          if (run !== this.#run || !this.#canSend()) return
          this.#send(root)
        }
        // Root blocks that bring nothing are not read at all.
        if (run !== this.#run || blocks.length === PAGE || this.#sent >= target) continue
        if (target === this.#until) {
          const { random, time } = await store.headerAt(target)
          const root = { height: target, time, exports: [], random, outgoing: [] }
          if (run === this.#run && this.#canSend()) this.#send(root)
        } else this.#sent = target
      } catch (error) {
        log.warn({ shard: host.id, error: String(error) }, 'root blocks cannot be read; trying again')
        await pause(RETRY_MS)
      }
    }
  }
}

/** What a root block brings to a part of the ledger. */
export function sourcesFor({ outgoing }: RoutedRoot, space: ShardSpace): RootSource[] {
  const sources: RootSource[] = []
  for (const { shard, height, bytes, index } of outgoing) {
    const items = itemsFor(bytes, index, space)
    if (items.length > 0) sources.push({ shard, height, items })
  }
  return sources
}

/** A stored root block with the stored out items of its shard blocks, and of the root block before it. */
export async function routed(block: BringingRoot, store: RootStore): Promise<RoutedRoot> {
  const stored = await store.outgoing(block.entries)
  const outgoing = block.entries.map(({ shard, height }, i) =>
    outgoingOf({ shard, height }, stored[i] ?? new Uint8Array(0)),
  )
  if (block.released.length > 0) outgoing.push(releasedBy(block.header.height, block.released))
  const { height, time, random } = block.header
  return { height, time, exports: block.exports, random, outgoing }
}

/** What a root block delivers of the one before it. */
export const releasedBy = (height: number, released: Uint8Array): BlockOutgoing =>
  outgoingOf({ shard: ROOT_SHARD, height: height - 1 }, released)

const outgoingOf = ({ shard, height }: BlockPlace, bytes: Uint8Array): BlockOutgoing => ({
  shard,
  height,
  bytes,
  index: indexOut(splitOut(bytes)),
})
