import type { Sql } from '../../../server/plugin.ts'
import type { ShardHostConfig } from '../config.ts'
import { storedNetwork } from '../genesis-store.ts'
import { ShardHomes } from '../hosting/places.ts'
import { openHostDatabases } from '../hosting/shard-hosting.ts'
import type { LedgerModule } from '../ledger/module.ts'
import { ModuleLibrary } from '../ledger/module-library.ts'
import { mustHaveModules } from '../ledger/module-schedule.ts'
import type { ShardDatabases } from '../query/shard-databases.ts'
import { RootView } from '../root/root-view.ts'
import { storedExports } from '../root/stored-exports.ts'
import { SnapshotError, storedStart } from '../snapshot/index.ts'
import { type ReplayReport, replayChain } from './replay.ts'
import { chainInDatabase } from './stored-chain.ts'

export interface VerifyOptions {
  /** A pool whose search_path is the schema of the execution plugin. */
  readonly sql: Sql
  /** Where shards live that do not live there. */
  readonly shardHosts?: readonly ShardHostConfig[]
  /** All modules that the node's plugins offer. */
  readonly offered: readonly LedgerModule[]
  /** Execute from this root height on: the state then is made from what is stored, and compared with the root blocks. */
  readonly from?: number
  readonly signal?: AbortSignal
  /** Told after each root block; `last` is the height of the last one. */
  readonly onProgress?: (progress: ReplayReport & { readonly last: number }) => void
}

/** What was verified. */
export interface VerifyReport extends ReplayReport {
  /** The network's id, 32 bytes. */
  readonly network: Uint8Array
  readonly name: string
}

/** There is nothing to verify in this database. */
export class NoNetworkError extends Error {
  override readonly name = 'NoNetworkError'
  readonly code = 'NO_NETWORK'
}

/**
 * Executes a node's chain again, as it stands now; the node may go on meanwhile.
 * @throws ReplayMismatch naming the first difference; NoNetworkError; ModuleSetError for a module that is missing;
 *   SnapshotError for a height that is not there; UnknownHostError if shards live where the configuration knows nothing of
 */
export async function verifyDatabase(options: VerifyOptions): Promise<VerifyReport> {
  const { sql, shardHosts = [], from } = options
  if (shardHosts.length === 0) return verifyIn(options, undefined)
  if (from !== undefined)
    throw new SnapshotError(
      'SHARDS_ELSEWHERE',
      'shards live on shard hosts, and what they were at a height is made from one database only: verify from genesis',
    )
  const databases = await openHostDatabases(sql, shardHosts)
  try {
    return await verifyIn(options, databases)
  } finally {
    await databases.close()
  }
}

async function verifyIn(options: VerifyOptions, databases: ShardDatabases | undefined): Promise<VerifyReport> {
  const { sql, offered, from, signal, onProgress } = options
  // What was at a height is put together in temporary tables.
  const mode = from === undefined ? 'isolation level repeatable read read only' : 'isolation level repeatable read'
  return sql.begin(mode, async (tx) => {
    const [tables] = await tx<{ there: boolean }[]>`SELECT to_regclass('genesis') IS NOT NULL AS there`
    const network = tables?.there === true ? await storedNetwork(tx) : undefined
    if (network === undefined)
      throw new NoNetworkError('this database has no network yet: start the node once, or name its folder with --data')
    const [row] = await tx<{ first: bigint; last: bigint }[]>`
      SELECT min(height) AS first, max(height) AS last FROM root_block`
    const last = Number(row?.last ?? 0)
    if (row !== undefined && row.first > 0n)
      throw new SnapshotError(
        'HISTORY_MISSING',
        `this database was made from a snapshot: what came before root height ${row.first} is not in it; verify a node that has it`,
      )
    // Told before hours of work: what the configuration does not name cannot be read.
    if (databases === undefined) await ShardHomes.read(tx, [])
    mustHaveModules(new ModuleLibrary(offered), RootView.EMPTY.with(await storedExports(tx, last)), from ?? 0, last)
    const report = await replayChain({
      network,
      modules: offered,
      chain: chainInDatabase(tx, databases),
      ...(from === undefined ? {} : { start: await storedStart(tx, from) }),
      ...(signal === undefined ? {} : { signal }),
      onProgress: (progress) => onProgress?.({ ...progress, last }),
    })
    return { ...report, network: network.id, name: network.genesis.name }
  })
}
