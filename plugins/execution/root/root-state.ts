import { cellLeaf, equal, listRoot, ROOT_SHARD, toHex, Writer } from '../../../protocol/index.ts'
import type { CallRegistry } from '../ledger/registry.ts'
import type { RootRules } from '../ledger/root-context.ts'
import type { BlockContext } from '../shard/call-frame.ts'
import { Execution } from '../shard/execution.ts'
import { arrivalsOf } from '../shard/inbox.ts'
import type { Totals } from '../shard/made-block.ts'
import { indexOut } from '../shard/out-index.ts'
import { StateMismatchError } from '../shard/recovery.ts'
import { sealCells } from '../shard/seal.ts'
import { shardSpace } from '../shard/shard-space.ts'
import { SupplyError } from '../shard/supply-error.ts'
import { CellStore } from '../state/cell-store.ts'
import { isEmpty, type LedgerCell, openRecord } from '../state/ledger-cell.ts'
import { Trie } from '../state/trie.ts'
import { ExportDraft } from './export-draft.ts'
import { ExportTrie } from './export-trie.ts'
import type { MadeRoot, RootInput } from './made-root.ts'
import { RootScope } from './root-scope.ts'
import type { RootView } from './root-view.ts'
import { runWatched } from './run-watched.ts'
import { EndlessCallError } from './within-time.ts'

/** The space of the root chain: its realm is one shard that never splits. */
export const ROOT_SPACE = shardSpace(ROOT_SHARD)
/** CBOR of an empty list. */
const NO_ITEMS = Uint8Array.of(0x80)

export interface RootStateParts {
  /** The root chain stops at a call that takes longer; 5 s if absent. */
  readonly maxCallMs?: number
  readonly rules: RootRules
  readonly depositPerByte: bigint
  /** The calls that the root block at a height knows. `view` is as of the one before. */
  readonly registryAt: (view: RootView, height: number) => CallRegistry
}

/** What the root chain has after one of its blocks. */
export interface RootMemory {
  readonly height: number
  /** Sorted by path. */
  readonly cells: readonly { readonly path: Uint8Array; readonly record: Uint8Array }[]
  readonly view: RootView
  readonly totals: Totals
}

/**
 * The state of the root chain: its cells, all of them in memory (they are few: each is paid for with a call of weight
 * 100 and a deposit), and what it exports. Makes root blocks, one after the other.
 */
export class RootState {
  readonly parts: RootStateParts
  readonly store = new CellStore({ cacheSize: 2 })
  readonly trie = new Trie({ keyBytes: 32, depth: 0 })
  readonly exports = new ExportTrie()
  #height: number
  #view: RootView
  #totals: Totals
  /** Cells that the last block left empty. */
  #emptied: LedgerCell[] = []

  constructor(parts: RootStateParts, { height, cells, view, totals }: RootMemory) {
    this.parts = parts
    this.#height = height
    this.#view = view
    this.#totals = totals
    for (const { path, record } of cells) this.store.restore(openRecord(record, path))
    this.trie.update(cells.map(({ path, record }) => ({ key: path, leaf: cellLeaf(path, record) })))
    this.exports.update(view.entries())
  }

  /** Height of the last root block that was made; it may not be durable yet. */
  get height(): number {
    return this.#height
  }

  /** What the root chain exports after that block. */
  get view(): RootView {
    return this.#view
  }

  get totals(): Totals {
    return this.#totals
  }

  /**
   * Compares what was read back with what the last root header commits.
   * @throws StateMismatchError
   */
  check(header: { readonly cellsRoot: Uint8Array; readonly exportsRoot: Uint8Array }): void {
    const pairs = [
      ['cells', header.cellsRoot, this.trie.root],
      ['exports', header.exportsRoot, this.exports.root],
    ] as const
    for (const [what, expected, found] of pairs) {
      if (equal(expected, found)) continue
      throw new StateMismatchError(
        `root chain, height ${this.#height}: the stored ${what} give root ${toHex(found)}, the header commits ${toHex(expected)}`,
      )
    }
    let holdings = 0n
    for (const cell of this.store.changed())
      holdings += cell.balance + this.parts.depositPerByte * BigInt(cell.depositBytes)
    if (holdings === this.#totals.holdings) return
    throw new StateMismatchError(
      `the root chain holds ${holdings} at height ${this.#height}, its last block says ${this.#totals.holdings}`,
    )
  }

  /**
   * Makes the next root block.
   * @throws RootHaltedError at a call that cannot be run; SupplyError if value appeared or vanished; CodecError for items
   * that cannot be read. The state is as before then.
   */
  async make(input: RootInput): Promise<MadeRoot> {
    if (input.sources.length === 0) return this.#idle(input.height)
    for (;;) {
      try {
        return await this.#execute(input)
      } catch (error) {
        // The machine stood still, and a call was cut off for it: once more, from the same state.
        if (!(error instanceof EndlessCallError)) throw error
      }
    }
  }

  async #execute(input: RootInput): Promise<MadeRoot> {
    const { height } = input
    const { parts, store } = this
    // Whatever they were read from, cells must not keep all of it in memory.
    const sources = input.sources.map((source) => ({ ...source, items: new Uint8Array(source.items) }))
    const messages = arrivalsOf({ sources }, 0).map(({ message }) => message)
    const draft = new ExportDraft(this.#view)
    store.begin(height)
    const execution = new Execution({
      space: ROOT_SPACE,
      store,
      trie: this.trie,
      registry: parts.registryAt(this.#view, height),
      context: rootContextOf(input, draft, new RootScope({ store, exports: draft, rules: parts.rules }), parts),
    })
    try {
      const outcomes = await runWatched(execution, messages, { height, maxMs: parts.maxCallMs })
      const consumed = messages.reduce((sum, { value }) => sum + value, 0n)
      const outgoing = execution.outBox.finish()
      const cells = sealCells(store.peekChanges(), parts.depositPerByte)
      if (cells.holdings !== consumed - outgoing.value) {
        throw new SupplyError(
          `root block ${height} would change what the root chain holds by ${cells.holdings} instead of ` +
            `${consumed - outgoing.value}`,
        )
      }
      this.#emptied = [...store.seal().values()].map(({ after }) => after).filter(isEmpty)
      this.trie.update(cells.leaves)
      this.exports.update(draft.changes)
      this.#height = height
      this.#view = draft.view
      this.#totals = {
        holdings: this.#totals.holdings + cells.holdings,
        emitted: this.#totals.emitted + outgoing.value,
        consumed: this.#totals.consumed + consumed,
      }
      return {
        ...this.#roots(outgoing.items),
        exports: draft.changes,
        outgoing: outgoing.bytes,
        outIndex: indexOut(outgoing.items),
        delta: cells.delta,
        outcomes,
        events: eventsOf(execution),
        totals: this.#totals,
        faults: execution.faults,
      }
    } catch (error) {
      store.abort()
      throw error
    }
  }

  /** The block is durable: readers see what it changed. */
  committed(height: number): void {
    this.store.committed(height)
    for (const cell of this.#emptied) this.store.forget(cell)
    this.#emptied = []
  }

  #idle(height: number): MadeRoot {
    this.#height = height
    return {
      ...this.#roots([]),
      exports: [],
      outgoing: new Uint8Array(0),
      outIndex: indexOut([]),
      delta: NO_ITEMS,
      outcomes: [],
      events: { topics: [], count: 0, body: NO_ITEMS },
      totals: this.#totals,
      faults: new Map(),
    }
  }

  #roots(items: readonly Uint8Array[]): Pick<MadeRoot, 'cellsRoot' | 'outRoot' | 'exportsRoot'> {
    return { cellsRoot: this.trie.root, outRoot: listRoot(items), exportsRoot: this.exports.root }
  }
}

/** What calls of a root block see; `exports` and `scope` are of this block alone. */
export function rootContextOf(
  { height, time, random }: Pick<RootInput, 'height' | 'time' | 'random'>,
  exports: ExportDraft,
  scope: RootScope,
  { depositPerByte }: RootStateParts,
): BlockContext {
  return {
    shard: ROOT_SPACE.id,
    realm: ROOT_SPACE.realm,
    height,
    time,
    random,
    // As it is by now: a call reads what one before it in the same block exported.
    get root() {
      return exports.view
    },
    scope,
    depositPerByte,
  }
}

function eventsOf(execution: Execution): MadeRoot['events'] {
  const calls = execution.events.view()
  const writer = new Writer(calls.length + 16)
  writer.arrayHeader(execution.eventCount)
  writer.raw(calls)
  return { topics: [...execution.topics], count: execution.eventCount, body: writer.finish() }
}
