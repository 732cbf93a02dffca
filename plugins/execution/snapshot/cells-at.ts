import { ROOT_REALM, ROOT_SHARD } from '../../../protocol/index.ts'
import type { StoredLedger } from '../hosting/read-ledger.ts'
import type { Cut } from './cut.ts'
import { importedCells } from './imported-state.ts'
import { PastCells } from './past-cells.ts'
import type { SnapshotCell } from './visitor.ts'

/** Whose cells: a shard's, or the root chain's own. */
export interface CellSpace {
  readonly id: string
  readonly realm: number
  readonly prefix: string
}

/** The root chain's own cells. */
export const ROOT_CELLS: CellSpace = { id: ROOT_SHARD, realm: ROOT_REALM, prefix: '' }

/** The cells of a shard, sorted by path, some at a time. One reading after the other. */
export type CellsAt = (space: CellSpace) => AsyncIterable<readonly SnapshotCell[]>

/**
 * The cells as of a root block, in whichever database they are. Temporary tables are made for it; not so for the height
 * of the snapshot that the database began with.
 * @throws SnapshotError HISTORY_MISSING
 */
export async function cellsAt(ledger: StoredLedger, cut: Cut): Promise<CellsAt> {
  const { main } = ledger
  if (cut.height === cut.snapshot) return ({ id }) => onlyCells(importedCells(main, id))
  return tableCellsAt(ledger, cut)
}

/** The same from the cell tables, whatever the snapshot said that the database began with. @throws the same */
export async function tableCellsAt(ledger: StoredLedger, cut: Cut): Promise<CellsAt> {
  const { main } = ledger
  const past = new Map<unknown, PastCells>()
  for (const tx of ledger.all) past.set(tx, await PastCells.at(tx, cut, tx === main))
  return (space) => {
    const there = past.get(space.realm === ROOT_REALM ? main : ledger.of(space.id))
    if (there === undefined) throw new TypeError(`shard ${space.id} is in a database that was not opened`)
    return there.of(space)
  }
}

async function* onlyCells(found: ReturnType<typeof importedCells>): AsyncIterable<readonly SnapshotCell[]> {
  for await (const { cells } of found) yield cells
}
