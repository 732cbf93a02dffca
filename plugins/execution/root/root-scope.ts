import { CallError } from '../ledger/errors.ts'
import type { RootRules } from '../ledger/root-context.ts'
import { MAX_ROOT_CELLS } from '../ledger/rules.ts'
import type { CellStore } from '../state/cell-store.ts'
import { encodeReadable } from '../state/cell-value.ts'
import { idKey, type LedgerCell } from '../state/ledger-cell.ts'
import type { ExportDraft } from './export-draft.ts'
import type { RootView } from './root-view.ts'

export interface RootScopeParts {
  readonly store: CellStore
  readonly exports: ExportDraft
  readonly rules: RootRules
}

/** What root calls reach beside their own cell while a root block is made: other cells, and the exports. */
export class RootScope {
  readonly rules: RootRules
  readonly #store: CellStore
  readonly #exports: ExportDraft
  /** Cells that the running call changed, as they were before. */
  #before = new Map<LedgerCell, LedgerCell>()
  #reached = new Set<string>()

  constructor({ store, exports, rules }: RootScopeParts) {
    this.#store = store
    this.#exports = exports
    this.rules = rules
  }

  /** A call begins. */
  begin(): void {
    this.#before = new Map()
    this.#reached = new Set()
    this.#exports.mark()
  }

  /** The call was refused: what it did here is undone. */
  undo(): void {
    for (const [cell, copy] of this.#before) Object.assign(cell, copy)
    this.#before = new Map()
    this.#exports.undo()
  }

  /** A cell as it is now; undefined if there is none. @throws CallError TOO_MANY_CELLS */
  find(id: Uint8Array): LedgerCell | undefined {
    const key = idKey(id)
    this.#reached.add(key)
    if (this.#reached.size > MAX_ROOT_CELLS)
      throw new CallError('TOO_MANY_CELLS', `a root call reaches at most ${MAX_ROOT_CELLS} cells`)
    return this.#store.get(key)
  }

  /** The block's own version of a cell, which the running call may change; a new one if there was none. */
  change(id: Uint8Array): LedgerCell {
    const key = idKey(id)
    const known = this.#store.get(key)
    const cell = known === undefined ? this.#store.create(id, this.#store.pathOf(key, id)) : this.#store.change(known)
    if (!this.#before.has(cell)) this.#before.set(cell, { ...cell })
    return cell
  }

  /** What the root chain exports, with what this block changed so far. */
  get exported(): RootView {
    return this.#exports.view
  }

  /** @throws CallError EXPORT_REFUSED */
  export(module: string, key: string, value: unknown): void {
    this.#exports.set(module, key, value === null || value === undefined ? null : encodeReadable(value))
  }
}
