import { parseDatabaseUrl } from '../../../server/links.ts'
import { connect, type Sql, type Transaction } from '../../../server/plugin.ts'
import type { ShardHostConfig } from '../config.ts'
import type { Network } from '../genesis.ts'
import { storedNetwork } from '../genesis-store.ts'
import { ShardHomes } from './places.ts'
import { SCHEMA } from './shard-hosting.ts'

const CONNECT_SECONDS = 5

/** All databases of a ledger, each as of one moment: whatever the root chain lists in the node's own is in the others. */
export interface StoredLedger {
  readonly network: Network
  /** The node's own: root chain, exports, and the shards that live there. */
  readonly main: Transaction
  /** All that hold shards, the node's own first. */
  readonly all: readonly Transaction[]
  /** Where the blocks and cells of a shard are. */
  of(shard: string): Transaction
}

export interface ReadLedgerOptions {
  /** A pool whose search_path is the schema of the execution plugin, in the node's own database. */
  readonly sql: Sql
  /** As the node's configuration names them. */
  readonly shardHosts?: readonly ShardHostConfig[]
}

/** The database has no ledger, or not the root chain of one. */
export class NoNetworkError extends Error {
  override readonly name = 'NoNetworkError'
  readonly code = 'NO_NETWORK'
}

/** The database of a shard host cannot be read. */
export class HostDatabaseAwayError extends Error {
  override readonly name = 'HostDatabaseAwayError'
  readonly code = 'SHARD_HOST_DATABASE'
}

/**
 * Reads a ledger wherever its shards live, as it is now, while it may go on.
 * @throws NoNetworkError; UnknownHostError for a shard host that the configuration does not name; HostDatabaseAwayError;
 *   whatever `read` throws
 */
export async function readLedger<T>(
  { sql, shardHosts = [] }: ReadLedgerOptions,
  read: (ledger: StoredLedger) => Promise<T>,
): Promise<T> {
  // Not read only: what was at a height is put together in temporary tables.
  const mode = 'isolation level repeatable read'
  return inTransaction(sql, mode, async (main) => {
    const network = await networkIn(main)
    const homes = await ShardHomes.read(main, shardHosts)
    const needed = shardHosts.filter(({ name }) => homes.hosts.has(name))
    // Later than the node's own: what its root chain lists was durable there before.
    return within(needed, mode, new Map(), (byHost) => {
      const of = (shard: string): Transaction => byHost.get(homes.of(shard) ?? '') ?? main
      return read({ network, main, all: [main, ...byHost.values()], of })
    })
  })
}

/** The driver would await each item of an array; in an object, a result of any type stays what it is. */
async function inTransaction<T>(sql: Sql, mode: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const { result } = await sql.begin(mode, async (tx) => ({ result: await work(tx) }))
  return result
}

async function networkIn(main: Transaction): Promise<Network> {
  const [tables] = await main<{ there: boolean }[]>`SELECT to_regclass('genesis') IS NOT NULL AS there`
  const network = tables?.there === true ? await storedNetwork(main) : undefined
  if (network === undefined)
    throw new NoNetworkError('this database has no network yet: start the node once, or name its folder with --data')
  const [root] = await main<{ there: boolean }[]>`SELECT EXISTS (SELECT FROM root_block) AS there`
  if (root?.there === true) return network
  throw new NoNetworkError('this is the database of a shard host, which has no root chain: name that of the node')
}

/** Opens the databases of hosts, one within the other, and hands on a transaction in each. */
async function within<T>(
  [host, ...others]: readonly ShardHostConfig[],
  mode: string,
  open: ReadonlyMap<string, Transaction>,
  read: (open: ReadonlyMap<string, Transaction>) => Promise<T>,
): Promise<T> {
  if (host === undefined) return read(open)
  const { name, database } = host
  const options = { ...parseDatabaseUrl(database), searchPath: [SCHEMA] }
  const pool = { max: 1, connectSeconds: CONNECT_SECONDS, applicationName: 'deaios ledger reader' }
  const sql = connect(options, pool)
  try {
    await mustBeThere(name, sql)
    return await inTransaction(sql, mode, (tx) => within(others, mode, new Map([...open, [name, tx]]), read))
  } finally {
    await sql.end({ timeout: 2 })
  }
}

/** @throws HostDatabaseAwayError */
async function mustBeThere(name: string, sql: Sql): Promise<void> {
  const away = (why: string, cause?: unknown) =>
    new HostDatabaseAwayError(`the database of shard host "${name}" cannot be read: ${why}`, { cause })
  const found = await sql<{ there: boolean }[]>`SELECT to_regclass('block') IS NOT NULL AS there`.catch(
    (error: unknown) => {
      throw away(error instanceof Error ? error.message : String(error), error)
    },
  )
  if (found[0]?.there !== true) throw away('nothing is set up in it yet; start the shard host first')
}
