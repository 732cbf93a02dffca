import type { Log, Sql } from '../../../server/plugin.ts'
import { type RootMoment, storedRootMoment } from '../root/root-moment.ts'
import type { ShardHost } from '../shard/shard-host.ts'
import { type ShardHosts, type SharedShardData, type StoredShard, storedShards } from '../shard/shard-hosts.ts'
import type { ShardSeed } from '../shard/shard-seed.ts'
import { EarlyThreads } from '../shard/shard-thread.ts'
import { WorkerShardHost } from '../shard/worker-host.ts'
import { EventRelay } from './event-relay.ts'
import { explain } from './explain.ts'
import { HostLink } from './host-link.ts'
import { assignmentOf, listedShards } from './listed.ts'
import { placeOf, UnknownHostError } from './places.ts'
import { ProcessShardHost } from './process-host.ts'
import type { ShardHosting } from './shard-hosting.ts'

export interface PlacedHostsParts {
  readonly hosting: ShardHosting
  /** The node's own database. */
  readonly sql: Sql
  /** The network's genesis document. */
  readonly document: Uint8Array
  readonly data: SharedShardData
  readonly log: Log
  /** A shard host works for a newer leader. */
  readonly onFenced: () => void
  /** Tells the event stream that there is something new. */
  readonly onEvents: () => void
}

/** Every shard where it lives: in a thread here, or on a shard host. */
export class PlacedHosts implements ShardHosts {
  readonly #parts: PlacedHostsParts
  readonly #links = new Map<string, HostLink>()
  readonly #relay: EventRelay
  /** Shards elsewhere that were split before. */
  readonly #ended = new Set<string>()
  readonly #running = new Set<ProcessShardHost>()
  readonly #early = new EarlyThreads()

  constructor(parts: PlacedHostsParts) {
    this.#parts = parts
    const { hosting, data, log, onEvents } = parts
    const onTrouble = (shard: string, code: string | undefined): void => {
      for (const host of this.#running) if (host.id === shard) host.eventTrouble = code
    }
    this.#relay = new EventRelay({ databases: hosting.databases, fence: data.fence, log, onEvents, onTrouble })
  }

  /** What a shard host has that is not to be reached now is told as far as the root chain knows it. */
  async stored(): Promise<readonly StoredShard[]> {
    const { hosting, sql, log } = this.#parts
    const { databases, hosts } = hosting
    await databases.homes.refresh(sql)
    const own = await storedShards(sql)
    const elsewhere = await Promise.all(
      hosts.map(async ({ name }) => {
        try {
          const there = await databases.within(databases.at(name), storedShards)
          return there.filter(({ id }) => databases.homes.of(id) === name)
        } catch (error) {
          log.warn({ shardHost: name, error: explain(error) }, `the database of shard host ${name} does not answer`)
          return (await listedShards(sql)).filter(({ id }) => databases.homes.of(id) === name)
        }
      }),
    )
    for (const { id, isSplit } of elsewhere.flat()) if (isSplit) this.#ended.add(id)
    return [...own, ...elsewhere.flat()]
  }

  create(id: string, seed?: ShardSeed, from?: number): ShardHost {
    const { hosting, data, log } = this.#parts
    const { homes } = hosting.databases
    const home = homes.of(id)
    const name = home === undefined ? placeOf(id, hosting.places) : home
    // Where a shard lives is on record before it has its first block.
    const place = async (): Promise<void> => {
      if (home !== undefined) return
      await homes.place(this.#parts.sql, [id])
      if (homes.of(id) === name) return
      throw new UnknownHostError(
        `shard ${id} was placed elsewhere by a node with another configuration: restart this one`,
      )
    }
    if (name !== null) return this.#elsewhere(id, name, place)
    const birth = { ...(seed && { seed }), ...(from !== undefined && { from }) }
    const prepare = async () => {
      await place()
      return {}
    }
    return new WorkerShardHost({ ...data, shard: id, ...birth }, log, prepare, this.#early)
  }

  /** A shard host is told of a shard when it begins, and starts its thread then. */
  prepare(id: string): void {
    const { hosting, data } = this.#parts
    const home = hosting.databases.homes.of(id)
    const name = home === undefined ? placeOf(id, hosting.places) : home
    if (name === null) this.#early.prepare({ ...data, shard: id })
  }

  async close(): Promise<void> {
    await this.#early.close()
  }

  #elsewhere(id: string, name: string, place: () => Promise<void>): ShardHost {
    const host = new ProcessShardHost(id, this.#link(name), () => this.#assignment(id, place), this.#parts.log)
    host.onRoot(() => this.#relay.wake(id))
    host.onReport(({ type }) => {
      if (type === 'split') this.#relay.end(id)
    })
    // Those that were split before this leader came may not have handed over all.
    for (const ended of this.#ended) {
      this.#relay.follow(ended)
      this.#relay.end(ended)
    }
    this.#ended.clear()
    this.#running.add(host)
    host.onEnd(() => {
      this.#running.delete(host)
      if (this.#running.size === 0) void this.#relay.stop()
    })
    this.#relay.follow(id)
    return host
  }

  async #assignment(id: string, place: () => Promise<void>) {
    await place()
    return assignmentOf(this.#parts.sql, id, this.#parts.data.tuning ?? null)
  }

  #link(name: string): HostLink {
    const known = this.#links.get(name)
    if (known !== undefined) return known
    const { hosting, data, document, sql, log, onFenced } = this.#parts
    const host = hosting.hosts.find((one) => one.name === name)
    if (host === undefined) throw new TypeError(`there is no shard host "${name}"`)
    const link = new HostLink({
      ...host,
      document,
      fence: data.fence.fence,
      log,
      onFenced,
      rootMoment: (height: number): Promise<RootMoment> => storedRootMoment(sql, height),
    })
    this.#links.set(name, link)
    return link
  }
}
