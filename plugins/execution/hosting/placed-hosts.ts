import type { Log, Sql } from '../../../server/plugin.ts'
import { type RootMoment, storedRootMoment } from '../root/root-moment.ts'
import type { ShardHost } from '../shard/shard-host.ts'
import { type ShardHosts, type SharedShardData, type StoredShard, storedShards } from '../shard/shard-hosts.ts'
import type { ShardSeed } from '../shard/shard-seed.ts'
import { WorkerShardHost } from '../shard/worker-host.ts'
import { explain } from './explain.ts'
import { HostLink } from './host-link.ts'
import { assignmentOf, listedShards } from './listed.ts'
import { placeOf } from './places.ts'
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
}

/** Every shard where it lives: in a thread here, or on a shard host. */
export class PlacedHosts implements ShardHosts {
  readonly #parts: PlacedHostsParts
  readonly #links = new Map<string, HostLink>()

  constructor(parts: PlacedHostsParts) {
    this.#parts = parts
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
          return await databases.within(databases.at(name), storedShards)
        } catch (error) {
          log.warn({ shardHost: name, error: explain(error) }, `the database of shard host ${name} does not answer`)
          return (await listedShards(sql)).filter(({ id }) => databases.homes.of(id) === name)
        }
      }),
    )
    return [...own, ...elsewhere.flat()]
  }

  create(id: string, seed?: ShardSeed): ShardHost {
    const { hosting, data, log } = this.#parts
    const { homes } = hosting.databases
    const home = homes.of(id)
    const name = home === undefined ? placeOf(id, hosting.places) : home
    // Where a shard lives is on record before it has its first block.
    const place = async (): Promise<void> => {
      if (home === undefined) await homes.place(this.#parts.sql, [id])
    }
    if (name !== null) return new ProcessShardHost(id, this.#link(name), () => this.#assignment(id, place), log)
    return new WorkerShardHost({ ...data, shard: id, ...(seed && { seed }) }, log, async () => {
      await place()
      return {}
    })
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
