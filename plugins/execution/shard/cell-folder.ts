import { isFenced } from '../../../server/plugin.ts'
import type { CellStore } from '../state/cell-store.ts'
import { idKey, isEmpty, type LedgerCell, sealRecord } from '../state/ledger-cell.ts'
import type { BlockStore } from './block-store.ts'
import type { CellDelta } from './delta.ts'
import type { ShardReport } from './messages.ts'

const deltasOf = (cells: readonly LedgerCell[]): CellDelta[] =>
  cells.map((cell) => ({ path: cell.path, record: isEmpty(cell) ? null : sealRecord(cell) }))

export interface CellFolderParts {
  readonly store: BlockStore
  readonly cells: CellStore
  /** A fold is due after so many changed cells, or so many milliseconds. */
  readonly tuning: { readonly foldCells: number; readonly foldMs: number }
  readonly report: (report: ShardReport) => void
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/**
 * Folds changed cells into the cell table, many blocks at a time: a cell that every block changes is written once.
 * Until then the blocks themselves hold the changes.
 */
export class CellFolder {
  readonly #parts: CellFolderParts
  #folding: Promise<void> | undefined
  #foldedAt: number
  /** Rows of cells that are gone, by path: after a restart nothing else is known of them. */
  readonly #gone = new Map<string, CellDelta>()

  constructor(parts: CellFolderParts) {
    this.#parts = parts
    this.#foldedAt = parts.now()
  }

  /** A cell that a block removed before a restart, and that the table still has. `key`: its path as a map key. */
  gone(key: string, delta: CellDelta): void {
    this.#gone.set(key, delta)
  }

  /**
   * Writes changed cells to the table if enough of them, or enough time, came together.
   * @param height of the last sealed block, whose versions are written
   * @param committed resolves when that block is durable: the table must never be ahead of the blocks
   */
  async fold(height: number, committed: Promise<void> | undefined, force = false): Promise<void> {
    const { cells, tuning, now } = this.#parts
    const isDue = force || cells.dirtyCount >= tuning.foldCells || now() - this.#foldedAt >= tuning.foldMs
    if (cells.dirtyCount === 0 || !isDue) return
    if (this.#folding !== undefined) {
      // Memory for changed cells is bounded: wait when a second fold is due before the first is done.
      if (!force && cells.dirtyCount < 2 * tuning.foldCells) return
      await this.#folding
    }
    this.#foldedAt = now()
    this.#folding = this.#write(height, committed, deltasOf(cells.takeDirty()))
    if (force) await this.#folding
  }

  /**
   * Writes all that the table does not have; nothing may change meanwhile. False if the table did not take it.
   * @param height of the last block, which is durable
   */
  async foldAll(height: number): Promise<boolean> {
    const { cells } = this.#parts
    await this.#folding
    if (cells.dirtyCount === 0 && this.#gone.size === 0) return true
    this.#folding = this.#write(height, undefined, deltasOf(cells.takeDirty()))
    await this.#folding
    return cells.dirtyCount === 0 && this.#gone.size === 0
  }

  async #write(height: number, committed: Promise<void> | undefined, deltas: readonly CellDelta[]): Promise<void> {
    const { cells, store, report } = this.#parts
    for (const { path } of deltas) this.#gone.delete(idKey(path))
    const gone = [...this.#gone.values()]
    try {
      await committed
      await store.fold(height, [...deltas, ...gone])
      cells.folded()
      for (const { path } of gone) this.#gone.delete(idKey(path))
    } catch (error) {
      // Nothing is lost: the blocks hold the changes, and the next fold takes these cells again.
      cells.notFolded()
      if (isFenced(error)) return
      report({ type: 'warning', message: 'cells were not folded', fields: { error: String(error) } })
    } finally {
      this.#folding = undefined
    }
  }
}
