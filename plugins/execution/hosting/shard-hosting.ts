import { parseDatabaseUrl } from '../../../server/links.ts'
import type { Sql } from '../../../server/plugin.ts'
import type { ShardHostConfig } from '../config.ts'
import { HostDatabases } from './host-databases.ts'
import { type HostPlaces, ShardHomes } from './places.ts'
import { readSecret } from './secret.ts'

/** A shard host as a node reaches it. */
export interface KnownHost {
  readonly name: string
  readonly url: string
  readonly secret: string
}

/** The shard hosts of a node, opened: who they are, where shards live, and the databases that hold them. */
export interface ShardHosting {
  readonly hosts: readonly KnownHost[]
  readonly databases: HostDatabases
  readonly places: readonly HostPlaces[]
}

/** The schema of the execution plugin, in every database. */
const SCHEMA = 'execution'

/**
 * Opens what the configuration says of shard hosts.
 * @throws SecretFileError, DatabaseError for a URL that is none, UnknownHostError if shards live where it knows nothing of
 */
export async function openHosting(sql: Sql, configs: readonly ShardHostConfig[]): Promise<ShardHosting> {
  const hosts: KnownHost[] = []
  for (const { name, url, secretFile } of configs) hosts.push({ name, url, secret: await readSecret(secretFile) })
  const options = new Map(
    configs.map(({ name, database }) => [name, { ...parseDatabaseUrl(database), searchPath: [SCHEMA] }]),
  )
  const homes = await ShardHomes.read(sql, configs)
  return { hosts, databases: new HostDatabases(sql, options, homes), places: configs }
}
