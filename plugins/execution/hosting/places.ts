import { CodecError, parseShardId, type Shard } from '../../../protocol/index.ts'
import type { SqlOrTransaction } from '../../../server/plugin.ts'

/** Shards that are born under one of the places live on the host of this name. */
export interface HostPlaces {
  readonly name: string
  /** Ids of shards, like `0:1` (whatever of realm 0 begins with 1) and `7:` (all of realm 7). */
  readonly places: readonly string[]
}

/** The configuration names no host that a shard lives on. */
export class UnknownHostError extends Error {
  override readonly name = 'UnknownHostError'
  readonly code = 'SHARD_HOST_UNKNOWN'
}

/** The name of the host that a newborn shard is given to; null if it stays with the node. The narrowest place decides. */
export function placeOf(id: string, hosts: readonly HostPlaces[]): string | null {
  const shard = parseShardId(id)
  let found: { readonly name: string; readonly depth: number } | undefined
  for (const { name, places } of hosts) {
    for (const place of places.map(parseShardId)) {
      if (covers(place, shard) && place.prefix.length >= (found?.depth ?? 0))
        found = { name, depth: place.prefix.length }
    }
  }
  return found?.name ?? null
}

/** Where shards live. What is split off lives with its parent, so only those born of none are on record. */
export class ShardHomes {
  readonly #hosts: readonly HostPlaces[]
  readonly #homes: Map<string, string | null>

  private constructor(hosts: readonly HostPlaces[], homes: Map<string, string | null>) {
    this.#hosts = hosts
    this.#homes = homes
  }

  /** Reads the record. @throws UnknownHostError for a home that the configuration does not name */
  static async read(sql: SqlOrTransaction, hosts: readonly HostPlaces[]): Promise<ShardHomes> {
    const rows = await sql<{ shard: string; host: string | null }[]>`SELECT shard, host FROM shard_home`
    const homes = new ShardHomes(hosts, new Map())
    for (const { shard, host } of rows) homes.#note(shard, host)
    return homes
  }

  /** The names of all hosts that shards live on. */
  get hosts(): ReadonlySet<string> {
    return new Set([...this.#homes.values()].filter((host) => host !== null))
  }

  /** The host of a shard: its name, or null for the node itself. Undefined if neither it nor an ancestor is on record. */
  of(id: string): string | null | undefined {
    const shard = parseShardId(id)
    for (let depth = shard.prefix.length; depth >= 0; depth--) {
      const home = this.#homes.get(`${shard.realm}:${shard.prefix.slice(0, depth)}`)
      if (home !== undefined) return home
    }
    return undefined
  }

  /** Puts newborn shards on record; those that are on it already, or descend from one that is, stay where they are. */
  async place(sql: SqlOrTransaction, ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      if (this.of(id) !== undefined) continue
      const [row] = await sql<{ host: string | null }[]>`
        WITH placed AS (
          INSERT INTO shard_home (shard, host) VALUES (${id}, ${placeOf(id, this.#hosts)})
          ON CONFLICT (shard) DO NOTHING RETURNING host
        )
        SELECT host FROM placed UNION ALL SELECT host FROM shard_home WHERE shard = ${id} LIMIT 1`
      this.#note(id, row?.host ?? null)
    }
  }

  /** Reads what was placed by another node meanwhile. What is in the node's own database lives there. */
  async refresh(sql: SqlOrTransaction): Promise<void> {
    await sql`INSERT INTO shard_home (shard) SELECT id FROM shard ON CONFLICT DO NOTHING`
    for (const { shard, host } of await sql<
      { shard: string; host: string | null }[]
    >`SELECT shard, host FROM shard_home`)
      this.#note(shard, host)
  }

  #note(shard: string, host: string | null): void {
    if (host !== null && !this.#hosts.some(({ name }) => name === host))
      throw new UnknownHostError(
        `shard ${shard} lives on the shard host "${host}", which deaios.config.ts does not name: ` +
          'put it back into execution({ shardHosts })',
      )
    this.#homes.set(shard, host)
  }
}

/** Clients may ask for what is no shard at all. */
export function isShardId(text: string): boolean {
  try {
    parseShardId(text)
    return true
  } catch (error) {
    if (error instanceof CodecError) return false
    throw error
  }
}

const covers = (place: Shard, shard: Shard): boolean =>
  place.realm === shard.realm && shard.prefix.startsWith(place.prefix)
