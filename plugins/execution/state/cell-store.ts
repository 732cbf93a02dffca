import { cellPath, equal } from '../../../protocol/index.ts'
import { type LedgerCell, newCell } from './ledger-cell.ts'

/** Paths remembered, about 150 bytes each. */
const MAX_PATHS = 200_000

/** What a block did to one cell: the version before it (undefined if there was none) and after it. */
export interface CellChange {
  readonly before: LedgerCell | undefined
  readonly after: LedgerCell
}

/** The changes of one block, by cell key. */
export type BlockChanges = ReadonlyMap<string, CellChange>

/**
 * The cells that a shard worker holds in memory.
 *
 * Three layers, searched in this order: cells changed since the last fold into the cell table (`dirty`, and `folding`
 * while a fold runs), which the table does not know and which therefore stay; and a bounded cache of clean ones in two
 * generations (what was not used during a whole generation goes).
 */
export class CellStore {
  readonly #cacheSize: number
  #dirty = new Map<string, LedgerCell>()
  #folding = new Map<string, LedgerCell>()
  #young = new Map<string, LedgerCell>()
  #old = new Map<string, LedgerCell>()
  #changes = new Map<string, CellChange>()
  readonly #paths = new Map<string, Uint8Array>()
  #block = 0
  /** A block is being made: its changes are not sealed. */
  #isOpen = false
  /** Changes of blocks that are not committed yet, oldest first. */
  readonly #uncommitted: { height: number; changes: BlockChanges }[] = []

  /** `cacheSize`: clean cells kept, about 300 bytes each. */
  constructor(options: { readonly cacheSize: number }) {
    this.#cacheSize = Math.ceil(options.cacheSize / 2)
  }

  /** Cells that a fold would write. */
  get dirtyCount(): number {
    return this.#dirty.size
  }

  /** The newest version, uncommitted blocks included; undefined if it is not in memory. */
  get(key: string): LedgerCell | undefined {
    const changed = this.#dirty.get(key) ?? this.#folding.get(key)
    if (changed !== undefined) return changed
    const cell = this.#young.get(key)
    if (cell !== undefined) return cell
    const aged = this.#old.get(key)
    if (aged !== undefined) this.#keep(aged)
    return aged
  }

  /** The path of a cell, whether it exists or not; the last ones are remembered, as hashing costs half a microsecond. */
  pathOf(key: string, id: Uint8Array): Uint8Array {
    const known = this.#paths.get(key)
    if (known !== undefined) return known
    const path = this.get(key)?.path ?? cellPath(id)
    if (this.#paths.size >= MAX_PATHS) this.#paths.clear()
    this.#paths.set(key, path)
    return path
  }

  /** Takes in a cell as the table has it, unless a newer version is here. */
  load(cell: LedgerCell): void {
    if (this.get(cell.key) === undefined) this.#keep(cell)
  }

  /** Begins a block; what is changed from now on belongs to it. */
  begin(height: number): void {
    this.#block = height
    this.#changes = new Map()
    this.#isOpen = true
  }

  /** The block's own version of a cell, which may be changed in place. */
  change(cell: LedgerCell): LedgerCell {
    if (cell.block === this.#block) return cell
    const after = { ...cell, block: this.#block }
    this.#changes.set(cell.key, { before: cell, after })
    this.#dirty.set(cell.key, after)
    return after
  }

  /** A new cell, made by this block. */
  create(id: Uint8Array, path: Uint8Array): LedgerCell {
    const after = newCell(id, path, this.#block)
    this.#changes.set(after.key, { before: undefined, after })
    this.#dirty.set(after.key, after)
    return after
  }

  /** What the block changed so far. */
  peekChanges(): BlockChanges {
    return this.#changes
  }

  /** Ends the block: its changes stay apart until `committed(height)`. */
  seal(): BlockChanges {
    const changes = this.#changes
    this.#isOpen = false
    this.#uncommitted.push({ height: this.#block, changes })
    return changes
  }

  /** Forgets what the block that was begun did. */
  abort(): void {
    for (const [key, { before }] of this.#changes) {
      this.#dirty.delete(key)
      // It goes where `get` finds it first; a clean one is folded once more, which changes nothing.
      if (before !== undefined) this.#dirty.set(key, before)
    }
    this.#changes = new Map()
    this.#isOpen = false
    this.#block = 0
  }

  /** The block is durable: its version is what readers see now. */
  committed(height: number): void {
    while (this.#uncommitted[0] !== undefined && this.#uncommitted[0].height <= height) this.#uncommitted.shift()
  }

  /** The version that readers may see: without blocks that are not committed. */
  readCommitted(key: string): { readonly known: boolean; readonly cell: LedgerCell | undefined } {
    for (const { changes } of this.#uncommitted) {
      const change = changes.get(key)
      if (change !== undefined) return { known: true, cell: change.before }
    }
    const change = this.#changes.get(key)
    if (change !== undefined && this.#isOpen) return { known: true, cell: change.before }
    const cell = this.get(key)
    return { known: cell !== undefined, cell }
  }

  /** The version of the last sealed block, durable or not; undefined if it is not in memory. */
  readSealed(key: string): LedgerCell | undefined {
    const change = this.#isOpen ? this.#changes.get(key) : undefined
    return change === undefined ? this.get(key) : change.before
  }

  /** The cell with this path among those that the cell table does not have yet. Reads all of them. */
  findUnfolded(path: Uint8Array): LedgerCell | undefined {
    for (const layer of [this.#dirty, this.#folding]) {
      for (const { key, path: found } of layer.values()) if (equal(found, path)) return this.readSealed(key)
    }
    return undefined
  }

  /** All cells that a fold would write. */
  changed(): Iterable<LedgerCell> {
    return this.#dirty.values()
  }

  /** Takes all changed cells for a fold; until `folded` they are still found here. */
  takeDirty(): readonly LedgerCell[] {
    this.#folding = this.#dirty
    this.#dirty = new Map()
    return [...this.#folding.values()]
  }

  /** The table has them now: they are clean. */
  folded(): void {
    const folded = this.#folding
    this.#folding = new Map()
    for (const cell of folded.values()) if (!this.#dirty.has(cell.key)) this.#keep(cell)
  }

  /** The table did not take them: they stay changed. */
  notFolded(): void {
    const folding = this.#folding
    this.#folding = new Map()
    for (const cell of folding.values()) if (!this.#dirty.has(cell.key)) this.#dirty.set(cell.key, cell)
  }

  /** Forgets a cell that is not there any more, unless it was changed since. */
  forget(cell: LedgerCell): void {
    for (const layer of [this.#dirty, this.#folding, this.#young, this.#old])
      if (layer.get(cell.key) === cell) layer.delete(cell.key)
  }

  /** Takes in a cell that a committed block changed, after a restart: the table does not have this version. */
  restore(cell: LedgerCell): void {
    this.#dirty.set(cell.key, cell)
  }

  #keep(cell: LedgerCell): void {
    this.#young.set(cell.key, cell)
    if (this.#young.size < this.#cacheSize) return
    this.#old = this.#young
    this.#young = new Map()
  }
}
