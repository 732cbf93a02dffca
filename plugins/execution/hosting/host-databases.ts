import { connect, type DatabaseOptions, type Sql } from '../../../server/plugin.ts'
import type { ShardDatabases } from '../query/shard-databases.ts'
import { askOne } from '../query/spread.ts'
import { isShardId, type ShardHomes } from './places.ts'

/** Connections to each shard host's database, for all that reads there. */
const POOL_SIZE = 6
const CONNECT_SECONDS = 5
/** How old what is known of homes may be when somebody asks for a shard that it does not have. */
const KNOWN_MS = 1_000

/** The databases of a node with shard hosts. */
export class HostDatabases implements ShardDatabases {
  readonly main: Sql
  readonly all: readonly Sql[]
  readonly homes: ShardHomes
  readonly #byHost: ReadonlyMap<string, Sql>
  #readAt = Number.NEGATIVE_INFINITY

  /** `hosts`: by name, the schema of the execution plugin in each one's database. */
  constructor(main: Sql, hosts: ReadonlyMap<string, DatabaseOptions>, homes: ShardHomes) {
    const pool = { max: POOL_SIZE, connectSeconds: CONNECT_SECONDS, applicationName: 'deaios shard reader' }
    this.main = main
    this.homes = homes
    this.#byHost = new Map([...hosts].map(([name, options]) => [name, connect(options, pool)]))
    this.all = [main, ...this.#byHost.values()]
  }

  async of(shard: string): Promise<Sql> {
    if (!isShardId(shard)) return this.main
    const home = this.homes.of(shard)
    if (home !== undefined) return this.at(home)
    // Born since, while another node leads; or there is none of this name, and clients may ask for such often.
    const now = performance.now()
    if (now - this.#readAt > KNOWN_MS) {
      this.#readAt = now
      await this.homes.refresh(this.main)
    }
    return this.at(this.homes.of(shard) ?? null)
  }

  /** The database of a shard host by its name; null stands for the node's own. */
  at(host: string | null): Sql {
    return (host === null ? undefined : this.#byHost.get(host)) ?? this.main
  }

  /** Asks one of them; another than the node's own only for so long. @throws HostDatabaseError */
  within<T>(sql: Sql, ask: (sql: Sql) => Promise<T>): Promise<T> {
    return askOne(this, sql, ask)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#byHost.values()].map((sql) => sql.end({ timeout: 2 })))
  }
}
