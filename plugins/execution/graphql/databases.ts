import type { Host } from '../../../server/plugin.ts'
import { Ledger } from '../api.ts'
import { LedgerHandle } from '../ledger-handle.ts'
import { oneDatabase, type ShardDatabases } from '../query/shard-databases.ts'

/** Where the blocks are that resolvers read: the ledger knows of shard hosts. Only inside resolvers. */
export function databasesOf(host: Host): ShardDatabases {
  const ledger = host.own(Ledger)
  return (ledger instanceof LedgerHandle ? ledger.databases : undefined) ?? oneDatabase(host.sql)
}
