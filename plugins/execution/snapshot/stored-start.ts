import type { Transaction } from '../../../server/plugin.ts'
import { ReplayMismatch } from '../replay/mismatch.ts'
import type { ReplayStart } from '../replay/start.ts'
import { RootView } from '../root/root-view.ts'
import { storedExports } from '../root/stored-exports.ts'
import { cutAt } from './cut.ts'
import { SnapshotError } from './errors.ts'
import { PastCells } from './past-cells.ts'
import { storedRoots } from './stored-roots.ts'
import type { SnapshotCell } from './visitor.ts'
import { waitingMessages } from './waiting-messages.ts'

/**
 * What the database says the ledger was after a root block: made from stored cells and stored changes, without
 * executing anything. Good within the transaction, which must not be read only.
 * @throws SnapshotError NO_SUCH_HEIGHT or HISTORY_MISSING
 */
export async function storedStart(tx: Transaction, height: number): Promise<ReplayStart> {
  const cut = await cutAt(tx, height)
  const past = await PastCells.at(tx, cut)
  const view = RootView.EMPTY.with(await storedExports(tx, height))
  const [root] = await Array.fromAsync(storedRoots(tx, height, height))
  if (root === undefined) throw new SnapshotError('NO_SUCH_HEIGHT', `there is no root block ${height}`)
  return {
    height,
    from: cut.from,
    shards: cut.shards,
    totals: root.totals,
    async cells(space) {
      const cells: SnapshotCell[] = []
      for await (const some of past.of(space)) cells.push(...some)
      return cells
    },
    async waiting(header) {
      try {
        return await waitingMessages(tx, header, view)
      } catch (error) {
        if (!(error instanceof SnapshotError && error.code === 'FALSE_STATE')) throw error
        throw new ReplayMismatch({ shard: header.shard, height: header.height }, 'deferredRoot', error.message)
      }
    },
  }
}
