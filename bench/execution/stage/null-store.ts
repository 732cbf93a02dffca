import { setImmediate } from 'node:timers/promises'
import type { RootMoment } from '../../../plugins/execution/root/root-moment.ts'
import { BlockStore, type StoredTip } from '../../../plugins/execution/shard/block-store.ts'
import type { ShardSpace } from '../../../plugins/execution/shard/shard-space.ts'
import { idKey } from '../../../plugins/execution/state/ledger-cell.ts'
import { connect, connectStatements } from '../../../server/plugin.ts'
import type { StageCell } from './cells.ts'
import { FirstBlock, STAGE_EXPORTS } from './first-block.ts'

/** Never connected to: connections open with the first statement, and there is none. */
const NOWHERE = { host: '/nowhere', port: 1, database: 'none', user: 'none', searchPath: [] }

const NOBODY = { lease: 'none', fence: 0n }

/** A store that keeps nothing: what remains is the shard's own work. */
export class NullStore extends BlockStore {
  readonly #tip: StoredTip
  readonly #cells: readonly StageCell[]
  readonly #byPath: Map<string, StageCell>

  /** `cells`: sorted by path. */
  constructor(space: ShardSpace, cells: readonly StageCell[]) {
    super(connect(NOWHERE), connectStatements(NOWHERE, { max: 1, applicationName: 'none' }), space, NOBODY)
    const first = new FirstBlock(space)
    first.add(cells)
    this.#tip = first.finish()
    this.#cells = cells
    this.#byPath = new Map(cells.map((cell) => [idKey(cell.path), cell]))
  }

  /** Durable at once, but not in the same turn: messages to the worker get their turn too, as they do in a node. */
  override async commit(): Promise<void> {
    await setImmediate()
  }

  override async tip(): Promise<StoredTip> {
    return this.#tip
  }

  override async rootMoment(height: number): Promise<RootMoment> {
    return { height, time: 0, random: new Uint8Array(32), exports: STAGE_EXPORTS }
  }

  override async foldedHeight(): Promise<number> {
    return 0
  }

  override async *cells(): AsyncIterable<readonly StageCell[]> {
    yield this.#cells
  }

  override async *deltasAfter(): AsyncIterable<never> {
    // Nothing follows the first block.
  }

  override async deferred(): Promise<readonly never[]> {
    return []
  }

  override async records(paths: readonly Uint8Array[]): Promise<readonly StageCell[]> {
    return paths.map((path) => this.#byPath.get(idKey(path))).filter((cell) => cell !== undefined)
  }

  override async fold(): Promise<void> {
    await setImmediate()
  }
}
