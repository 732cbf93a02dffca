import { CodecError } from '../../../protocol/index.ts'
import type { SqlOrTransaction } from '../../../server/plugin.ts'
import { RootView } from '../root/root-view.ts'
import { storedExports } from '../root/stored-exports.ts'
import { SnapshotError } from './errors.ts'

/** What the root chain exports as of a root height. @throws SnapshotError DAMAGED if what is stored cannot be read */
export async function storedView(sql: SqlOrTransaction, height: number): Promise<RootView> {
  const exports = await storedExports(sql, height)
  try {
    return RootView.EMPTY.with(exports)
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    const why = `what the root chain exported at height ${height} is stored in a form that cannot be read: ${error.message}`
    throw new SnapshotError('DAMAGED', why, { cause: error })
  }
}
