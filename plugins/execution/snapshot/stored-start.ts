import type { StoredLedger } from '../hosting/read-ledger.ts'
import { ReplayMismatch } from '../replay/mismatch.ts'
import type { ReplayStart } from '../replay/start.ts'
import { storedExports } from '../root/stored-exports.ts'
import { cellsAt, ROOT_CELLS } from './cells-at.ts'
import { cutAt } from './cut.ts'
import { SnapshotError } from './errors.ts'
import { findSent, storedRoots } from './stored-roots.ts'
import { storedView } from './stored-view.ts'
import type { SnapshotCell } from './visitor.ts'
import { waitingMessages } from './waiting-messages.ts'

/**
 * What the databases of a ledger say that it was after a root block: made from stored cells and stored changes, without
 * executing anything. Good within their transactions, which must not be read only, unless it is the height of the
 * snapshot that the database began with.
 * @throws SnapshotError NO_SUCH_HEIGHT or HISTORY_MISSING
 */
export async function storedStart(ledger: StoredLedger, height: number): Promise<ReplayStart> {
  const { main } = ledger
  const cut = await cutAt(ledger, height)
  const { snapshot, first } = cut
  const cells = await cellsAt(ledger, cut)
  const view = await storedView(main, height)
  const [root] = await Array.fromAsync(storedRoots(main, height, height))
  if (root === undefined) throw new SnapshotError('NO_SUCH_HEIGHT', `there is no root block ${height}`)
  return {
    height,
    from: cut.from,
    shards: cut.shards,
    totals: root.totals,
    ...(snapshot !== undefined && {
      imported: { first, height: snapshot, exports: await storedExports(main, first) },
    }),
    async cells(shard) {
      const all: SnapshotCell[] = []
      for await (const some of cells(shard ?? ROOT_CELLS)) all.push(...some)
      return all
    },
    sent: (entries) => findSent(ledger, entries),
    async waiting(header) {
      try {
        return await waitingMessages(ledger, header, view)
      } catch (error) {
        if (!(error instanceof SnapshotError && error.code === 'FALSE_STATE')) throw error
        throw new ReplayMismatch({ shard: header.shard, height: header.height }, 'deferredRoot', error.message)
      }
    },
  }
}
