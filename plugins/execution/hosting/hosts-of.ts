import { encodeGenesis } from '../../../protocol/index.ts'
import type { Log, Sql } from '../../../server/plugin.ts'
import type { Network } from '../genesis.ts'
import { type ShardHosts, type SharedShardData, ThreadHosts } from '../shard/shard-hosts.ts'
import { PlacedHosts } from './placed-hosts.ts'
import type { ShardHosting } from './shard-hosting.ts'

export interface HostsParts {
  readonly network: Network
  readonly sql: Sql
  readonly log: Log
  /** Absent if every shard lives with the node. */
  readonly hosting?: ShardHosting | undefined
  /** A shard host works for a newer leader. */
  readonly onFenced: () => void
  /** Tells the event stream that there is something new. */
  readonly onEvents: () => void
}

/** The hosts of a leader's shards: threads, unless the configuration names shard hosts. */
export function hostsOf(
  { network, sql, log, hosting, onFenced, onEvents }: HostsParts,
  data: SharedShardData,
): ShardHosts {
  if (hosting === undefined) return new ThreadHosts(sql, data, log)
  return new PlacedHosts({ hosting, sql, document: encodeGenesis(network.genesis), data, log, onFenced, onEvents })
}
