import { pause } from '../../../server/plugin.ts'
import { nextBasePrice } from '../ledger/base-price.ts'
import { MAX_BLOCK_TRANSACTIONS, MAX_BODY_BYTES } from '../ledger/rules.ts'
import { RootView } from '../root/root-view.ts'
import { CellStore } from '../state/cell-store.ts'
import { idKey, openRecord } from '../state/ledger-cell.ts'
import type { Trie } from '../state/trie.ts'
import { Activity, REPORT_MS } from './activity.ts'
import type { PricingParts } from './admission.ts'
import { Barred } from './barred.ts'
import { BlockMaker } from './block-maker.ts'
import { DropReports, reportOf, tipReport } from './block-report.ts'
import { CellFolder } from './cell-folder.ts'
import { type ChainTip, tipAfter } from './chain-tip.ts'
import type { ChildState } from './child-state.ts'
import { commitUntilDurable } from './commit.ts'
import { isDatabaseAway } from './database-away.ts'
import { Desk } from './desk.ts'
import type { ShardEngineParts } from './engine-parts.ts'
import { type Handover, handoverTo } from './handover.ts'
import type { RootDelivery } from './inbox.ts'
import { pricingAt } from './ledger-rules.ts'
import { culpritOf, settleLeft } from './left-over.ts'
import type { MadeBlock } from './made-block.ts'
import { Mempool } from './mempool.ts'
import { openSeed } from './open-seed.ts'
import type { PoolEntry } from './pool-entry.ts'
import { recover } from './recovery.ts'
import { RootQueue } from './root-queue.ts'
import { RunMarks } from './run-marks.ts'
import { BadRunError } from './running.ts'
import type { ShardSeed } from './shard-seed.ts'
import { splitShard } from './split-shard.ts'
import { Waker } from './waker.ts'

export type { ShardEngineParts } from './engine-parts.ts'
export { SHARD_TUNING, type ShardTuning } from './tuning.ts'

const STALL_MS = 100
const READ_WAIT_MS = 1_000
/** Root blocks between two passes over the mempool for expired transactions; blocks check for themselves. */
const EXPIRY_EVERY = 5

/**
 * One shard: takes transactions and root blocks, makes blocks while there is work, and tells what became durable.
 * It runs in a worker thread (worker.ts) and knows nothing of threads.
 */
export class ShardEngine {
  readonly #parts: ShardEngineParts
  readonly #cells: CellStore
  readonly mempool: Mempool
  #trie: Trie | undefined
  #maker: BlockMaker | undefined
  #tip: ChainTip | undefined
  /** Header bytes of the last sealed block. */
  #header: Uint8Array = new Uint8Array(0)
  /** Height of the last block that readers may see. */
  #committed = 0
  readonly #roots = new RootQueue()
  #view = RootView.EMPTY
  #committing: Promise<void> | undefined
  readonly #waker = new Waker()
  #stopping = false
  /** The split was scheduled: the less there is to fold when it comes, the shorter it takes. */
  #foldSoon = false
  /** Takes transactions in. */
  readonly desk: Desk
  readonly #activity: Activity
  readonly #folder: CellFolder
  readonly #marks: RunMarks
  readonly #barred: Barred

  constructor(parts: ShardEngineParts) {
    this.#parts = parts
    this.#cells = new CellStore({ cacheSize: parts.tuning.cacheCells })
    this.#folder = new CellFolder({ ...parts, cells: this.#cells })
    const drops = new DropReports(parts.report)
    this.mempool = new Mempool(parts.tuning.mempool, (entry, status) => drops.add(entry, status), parts.space.id)
    this.#activity = new Activity(parts.report, this.mempool)
    this.#marks = parts.marks ?? new RunMarks()
    this.#barred = parts.barred ?? new Barred()
    const [marks, barred] = [this.#marks, this.#barred]
    this.desk = new Desk({
      engine: this,
      marks,
      barred,
      report: parts.report,
      onWork: () => this.#waker.wake(),
      isStopping: () => this.#stopping,
    })
  }

  get cells(): CellStore {
    return this.#cells
  }

  /** The state trie; of the newest block, which may not be durable yet. */
  get trie(): Trie {
    return present(this.#trie)
  }

  get committedHeight(): number {
    return this.#committed
  }

  /** What the root chain exports, as of `rootHeight`: newer than what the last block saw. */
  get view(): RootView {
    return this.#view
  }

  get rootHeight(): number {
    return this.#roots.height
  }

  /** What transactions are checked against and priced by now. @throws ModuleSetError if this node lacks a module of it */
  get pricing(): PricingParts {
    return pricingAt(this.#parts.rules, this.#view, this.#roots.height)
  }

  get parts(): ShardEngineParts {
    return this.#parts
  }

  get tip(): ChainTip {
    return present(this.#tip)
  }

  /** Units for one of weight in the next block, as far as the root blocks that are here say. */
  get price(): bigint {
    return nextBasePrice(this.tip, this.#roots.height, this.#parts.rules.params.basePrice)
  }

  /** Header bytes of the last sealed block, which may not be durable yet; the trie is as of it. */
  get header(): Uint8Array {
    return this.#header
  }

  /**
   * Waits for the block under way, if there is one: others may have seen in the database that it is durable before its
   * confirmation arrived here, and must not read older cells then. A database that is away is not waited for.
   */
  async current(): Promise<void> {
    if (this.#committing === undefined || this.#activity.isStalled) return
    const enough = new AbortController()
    await Promise.race([this.#committing, pause(READ_WAIT_MS, enough.signal)])
    enough.abort()
  }

  /** Resolves when the block at this height is durable. */
  async durable(height: number): Promise<void> {
    while (this.#committed < height) await (this.#committing ?? pause(1))
  }

  /**
   * Reads the state back, compares it with the last header and reports `ready`.
   * @param seed what the shard's parent handed over: nothing is read from the database then
   * @throws StateMismatchError
   */
  async open(seed?: ShardSeed): Promise<void> {
    const { space, store, rules } = this.#parts
    const recovered =
      seed === undefined ? await recover(space, store, rules.params.depositPerByte) : openSeed(space, seed)
    this.#tip = recovered.tip
    this.#header = recovered.header
    this.#trie = recovered.trie
    this.#committed = recovered.tip.height
    this.#roots.startAfter(recovered.tip.rootCursor)
    this.#view = recovered.view
    const cautiousUntil = performance.now() + (this.#parts.cautiousMs ?? 0)
    this.#maker = new BlockMaker(
      {
        space,
        library: rules.library,
        store: this.#cells,
        trie: recovered.trie,
        params: rules.params,
        load: (ids) => this.load(ids),
        marks: this.#marks,
        isCautious: () => performance.now() < cautiousUntil,
      },
      recovered,
    )
    // Changes after the last fold are in the blocks only: take them in as if they had just been made.
    for (const [key, delta] of recovered.unfolded) {
      if (delta.record === null) this.#folder.gone(key, delta)
      else this.#cells.restore(openRecord(delta.record, delta.path))
    }
    this.#parts.report({
      type: 'ready',
      tip: tipReport(space.id, this.#tip, recovered.header),
    })
  }

  /** Makes blocks until `stop`. */
  async run(): Promise<void> {
    while (!this.#stopping && !this.#hasLastBlock) {
      this.#activity.report()
      if (this.#foldSoon) void this.#folder.fold(this.tip.height, this.#committing, true)
      this.#foldSoon = false
      // With little to do, a block a commit: a fuller next block costs less than two half empty ones.
      const isWaitingForDisk = this.#committing !== undefined && this.mempool.readyCount < this.#parts.tuning.pipelineAt
      if (this.#hasWork() && !isWaitingForDisk) await this.#makeBlock()
      else await this.#idle()
    }
    await this.#committing
    if (this.#hasLastBlock && !this.#stopping) await this.#split()
    else await this.#folder.fold(this.tip.height, this.#committing, true)
  }

  stop(): void {
    this.#stopping = true
    this.#waker.wake()
  }

  /** Gives all it has to its children, then answers until it is stopped: they need a moment to begin. */
  async #split(): Promise<void> {
    const { store, births } = this.#parts
    const estate = present(this.#maker).estate(this.tip, this.#header)
    const children = await splitShard(estate, {
      store,
      births,
      foldAll: () => this.#folder.foldAll(this.tip.height),
      onStall: (error) => this.#activity.stall(error),
      isStopping: () => this.#stopping,
    })
    if (children === undefined) return
    this.#activity.resume()
    this.desk.close()
    const pooled = this.mempool.inOrder()
    const handover = (child: ChildState): Handover => handoverTo(child, estate, pooled, this.#cells)
    this.#parts.report({ type: 'split', handover: [handover(children[0]), handover(children[1])] })
    while (!this.#stopping) await this.#idle()
  }

  /** Takes the next root block in. */
  deliver(delivery: RootDelivery): void {
    // What comes after the last root block of a shard is for its children.
    if (delivery.height > this.#until || !this.#roots.add(delivery)) return
    const before = this.#until
    this.#view = this.#view.with(delivery.exports)
    if (this.#until < before) this.#foldSoon = true
    // Funds may have come, time has passed, the price may have fallen.
    this.mempool.unpark()
    this.mempool.reprice(this.price)
    this.mempool.throttle(delivery.loads ?? [])
    if (delivery.height % EXPIRY_EVERY === 0) this.mempool.expire(delivery.height)
    this.#waker.wake()
  }

  /** Brings the committed or newer versions of cells into memory, as far as they exist and are not there. */
  async load(ids: readonly Uint8Array[]): Promise<void> {
    const paths = new Map<string, Uint8Array>()
    for (const id of ids) {
      const key = idKey(id)
      if (this.#cells.get(key) !== undefined || paths.has(key)) continue
      const path = this.#cells.pathOf(key, id)
      if (this.trie.has(path)) paths.set(key, path)
    }
    if (paths.size === 0) return
    for (const { path, record } of await this.#parts.store.records([...paths.values()])) {
      this.#cells.load(openRecord(record, path))
    }
  }

  #hasWork(): boolean {
    if (this.mempool.readyCount > 0 || this.#roots.hasMessages || present(this.#maker).deferredCount > 0) return true
    return this.#roots.height === this.#until
  }

  /** The root height at which the shard splits; its last block is the one that takes that in. */
  get #until(): number {
    return this.#view.shards.get(this.#parts.space.id)?.until ?? Number.POSITIVE_INFINITY
  }

  get #hasLastBlock(): boolean {
    return this.tip.rootCursor === this.#until
  }

  async #makeBlock(): Promise<void> {
    const started = performance.now()
    const deliveries = this.#roots.take()
    const candidates = this.mempool.take({
      count: MAX_BLOCK_TRANSACTIONS,
      bytes: MAX_BODY_BYTES,
      weight: present(this.#maker).room,
    })
    const now = this.#parts.now()
    let made: Awaited<ReturnType<BlockMaker['make']>>
    try {
      made = await present(this.#maker).make(this.tip, { deliveries, candidates, now })
    } catch (error) {
      const culprit = error instanceof BadRunError ? culpritOf(error, candidates) : undefined
      if (culprit === undefined && !isDatabaseAway(error)) throw error
      this.#roots.putBack(deliveries)
      for (const entry of candidates) if (entry !== culprit) this.mempool.putBack(entry)
      if (culprit !== undefined) return this.#evict(culprit, error)
      this.#activity.stall(error)
      await pause(STALL_MS)
      return
    }
    const { block, left } = made
    settleLeft(this.mempool, left)
    for (const { entry } of block?.included ?? []) this.mempool.sealed(entry)
    if (block === undefined) return this.#roots.putBack(deliveries)
    this.#header = block.headerBytes
    this.#tip = tipAfter(block.header, { hash: block.hash, bodyBytes: block.body.length, totals: block.totals })
    this.mempool.reprice(this.price)
    this.#activity.worked(performance.now() - started)
    await this.#committing
    this.#committing = this.#commit(block)
    await this.#folder.fold(this.tip.height, this.#committing)
  }

  /** A transaction that cannot be run to its end is in no block; the others are in the next one. */
  #evict(entry: PoolEntry, error: unknown): void {
    const { id } = entry.transaction
    this.#barred.add(id)
    this.mempool.reject(entry, 'EVICTED')
    this.#parts.report({ type: 'evicted', id, message: error instanceof Error ? error.message : String(error) })
  }

  async #commit(block: MadeBlock): Promise<void> {
    await commitUntilDurable(this.#parts.store, block, {
      onStall: (error) => this.#activity.stall(error),
      isStopping: () => this.#stopping,
    })
    this.#activity.resume()
    this.#cells.committed(block.header.height)
    this.#committed = block.header.height
    this.#committing = undefined
    // Until now they were in the mempool, so that a repeated submission found them somewhere at any time.
    for (const { entry } of block.included) this.mempool.included(entry)
    this.#parts.report({ type: 'block', block: reportOf(block) })
    this.#waker.wake()
  }

  /** Waits for work, for the block under way, or for the time of the next report. */
  #idle(): Promise<void> {
    return this.#waker.wait(REPORT_MS, this.#committing)
  }
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('the shard was not opened: call open() first')
  return value
}
