import { type ReadLedgerOptions, readLedger } from '../hosting/read-ledger.ts'
import type { LedgerModule } from '../ledger/module.ts'
import { ModuleLibrary } from '../ledger/module-library.ts'
import { mustHaveModules } from '../ledger/module-schedule.ts'
import { compareTables, importedHeight, SnapshotError, storedStart, storedView } from '../snapshot/index.ts'
import { type ReplayReport, replayChain } from './replay.ts'
import { chainInDatabase } from './stored-chain.ts'

export interface VerifyOptions extends Pick<ReadLedgerOptions, 'sql' | 'shardHosts'> {
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
  /** Root height of the snapshot that the database began with, if not with genesis: the votes for it were checked. */
  readonly snapshot: number | null
}

/**
 * Executes a node's chain again, as it stands now, in whichever databases; node and shard hosts may go on meanwhile. Of a
 * database that began with a snapshot, what was made since: the snapshot itself is compared with the votes for it.
 * @throws ReplayMismatch naming the first difference; ModuleSetError for a module that is missing; SnapshotError for a
 *   height that is not there; what `readLedger` throws
 */
export async function verifyDatabase(options: VerifyOptions): Promise<VerifyReport> {
  const { offered, from, signal, onProgress } = options
  return readLedger(options, async (ledger) => {
    const { network, main } = ledger
    const [row] = await main<{ first: bigint; last: bigint }[]>`
      SELECT min(height) AS first, max(height) AS last FROM root_block`
    const last = Number(row?.last ?? 0)
    const snapshot = await importedHeight(main)
    const begin = from ?? snapshot
    const missing = snapshot === undefined ? Number(row?.first ?? 0) > 0 : (begin ?? 0) < snapshot
    if (missing)
      throw new SnapshotError(
        'HISTORY_MISSING',
        `this database began with a snapshot${snapshot === undefined ? '' : ` of root height ${snapshot}`}: what came before is not in it; verify a node that has it`,
      )
    const view = await storedView(main, last)
    mustHaveModules(new ModuleLibrary(offered), view, begin ?? 0, last)
    const report = await replayChain({
      network,
      modules: offered,
      chain: chainInDatabase(main, ledger.of),
      ...(begin === undefined ? {} : { start: await storedStart(ledger, begin) }),
      ...(signal === undefined ? {} : { signal }),
      onProgress: (progress) => onProgress?.({ ...progress, last }),
    })
    // What was executed is right now; what the node reads may still be something else.
    await compareTables(ledger, last, signal)
    return { ...report, network: network.id, name: network.genesis.name, snapshot: snapshot ?? null }
  })
}
