import { parseDatabaseUrl } from '../../../server/links.ts'
import type { ConfiguredPlugin, Sql } from '../../../server/plugin.ts'
import { executionConfig, type ShardHostConfig } from '../config.ts'
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
export const SCHEMA = 'execution'

/**
 * Opens what the configuration says of shard hosts; undefined if it names none, and none is needed.
 * @throws SecretFileError, DatabaseError for a URL that is none, UnknownHostError if shards live where it knows nothing of
 */
export async function openHosting(sql: Sql, configs: readonly ShardHostConfig[]): Promise<ShardHosting | undefined> {
  if (configs.length === 0) {
    await ShardHomes.read(sql, configs)
    return undefined
  }
  const hosts: KnownHost[] = []
  for (const { name, url, secretFile } of configs) hosts.push({ name, url, secret: await readSecret(secretFile) })
  return { hosts, databases: await openHostDatabases(sql, configs), places: configs }
}

/**
 * Opens the databases of shard hosts, to read them.
 * @throws DatabaseError for a URL that is none, UnknownHostError if shards live where the configuration knows nothing of
 */
export async function openHostDatabases(sql: Sql, configs: readonly ShardHostConfig[]): Promise<HostDatabases> {
  const options = new Map(
    configs.map(({ name, database }) => [name, { ...parseDatabaseUrl(database), searchPath: [SCHEMA] }]),
  )
  return new HostDatabases(sql, options, await ShardHomes.read(sql, configs))
}

/** What the configuration of a node says of shard hosts, without starting any plugin. */
export function configuredHosts(plugins: readonly ConfiguredPlugin[]): readonly ShardHostConfig[] {
  const config = plugins.find(({ definition }) => definition.name === SCHEMA)?.config
  return config === undefined ? [] : executionConfig.parse(config).shardHosts
}
