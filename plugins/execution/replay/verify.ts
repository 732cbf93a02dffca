import type { Sql } from '../../../server/plugin.ts'
import { storedNetwork } from '../genesis-store.ts'
import type { LedgerModule } from '../ledger/module.ts'
import { ModuleLibrary } from '../ledger/module-library.ts'
import { mustHaveModules } from '../ledger/module-schedule.ts'
import { RootView } from '../root/root-view.ts'
import { storedExports } from '../root/stored-exports.ts'
import { type ReplayReport, replayChain } from './replay.ts'
import { chainInDatabase } from './stored-chain.ts'

export interface VerifyOptions {
  /** A pool whose search_path is the schema of the execution plugin. */
  readonly sql: Sql
  /** All modules that the node's plugins offer. */
  readonly offered: readonly LedgerModule[]
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
 * @throws ReplayMismatch naming the first difference; NoNetworkError; ModuleSetError for a module that is missing
 */
export async function verifyDatabase({ sql, offered, signal, onProgress }: VerifyOptions): Promise<VerifyReport> {
  return sql.begin('isolation level repeatable read read only', async (tx) => {
    const [tables] = await tx<{ there: boolean }[]>`SELECT to_regclass('genesis') IS NOT NULL AS there`
    const network = tables?.there === true ? await storedNetwork(tx) : undefined
    if (network === undefined)
      throw new NoNetworkError('this database has no network yet: start the node once, or name its folder with --data')
    const [row] = await tx<{ last: bigint }[]>`SELECT max(height) AS last FROM root_block`
    const last = Number(row?.last ?? 0)
    // Told before hours of work.
    mustHaveModules(new ModuleLibrary(offered), RootView.EMPTY.with(await storedExports(tx, last)), 0, last)
    const report = await replayChain({
      network,
      modules: offered,
      chain: chainInDatabase(tx),
      ...(signal === undefined ? {} : { signal }),
      onProgress: (progress) => onProgress?.({ ...progress, last }),
    })
    return { ...report, network: network.id, name: network.genesis.name }
  })
}
