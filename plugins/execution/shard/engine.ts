import { concat, decodeHeader } from '../../../protocol/index.ts'
import type { TransactionStatus } from '../api.ts'
import { MAX_BLOCK_TRANSACTIONS, MAX_BLOCK_WEIGHT, MAX_BODY_BYTES } from '../ledger/rules.ts'
import { pause } from '../pause.ts'
import { REFUSAL_CODES } from '../refusals.ts'
import { CellStore } from '../state/cell-store.ts'
import { idKey, isEmpty, openRecord, sealRecord } from '../state/ledger-cell.ts'
import type { Trie } from '../state/trie.ts'
import { type PricingParts, poolEntry, type Refusal } from './admission.ts'
import { ADMITTED, type BatchAdmission, KNOWN, REFUSED, type TransactionBatch, wiresOf } from './batch.ts'
import { BlockMaker, type ChainTip, type LeftOver } from './block-maker.ts'
import type { BlockStore } from './block-store.ts'
import { commitUntilDurable, isRefusedByData } from './commit.ts'
import type { CellDelta } from './delta.ts'
import type { RootDelivery } from './inbox.ts'
import type { MadeBlock } from './made-block.ts'
import { MEMPOOL_LIMITS, Mempool, type MempoolLimits, type PoolEntry, type Waiter } from './mempool.ts'
import { type BlockReport, type ShardReport, WAITER_STATUS } from './messages.ts'
import { indexOut } from './out-index.ts'
import { recover } from './recovery.ts'
import type { ShardSpace } from './shard-space.ts'

/** What can be tuned without changing what blocks say. */
export interface ShardTuning {
  /** Clean cells kept in memory. */
  readonly cacheCells: number
  /** Changed cells are written to the cell table after so many, or after `foldMs`. */
  readonly foldCells: number
  readonly foldMs: number
  /** While a block is on its way to the disk, the next is made once so many transactions wait. */
  readonly pipelineAt: number
  readonly mempool: MempoolLimits
}

export const SHARD_TUNING: ShardTuning = {
  cacheCells: 200_000,
  foldCells: 50_000,
  foldMs: 20_000,
  pipelineAt: 256,
  mempool: MEMPOOL_LIMITS,
}

export interface ShardEngineParts {
  readonly space: ShardSpace
  readonly store: BlockStore
  readonly pricing: PricingParts
  readonly tuning: ShardTuning
  readonly report: (report: ShardReport) => void
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** Root blocks that may wait for a shard that cannot commit; the node stops sending beyond it. */
const MAX_DELIVERIES = 100_000
const REPORT_MS = 500
const STALL_MS = 100
const READ_WAIT_MS = 1_000
/** Root blocks between two passes over the mempool for expired transactions; blocks check for themselves. */
const EXPIRY_EVERY = 5
/** Submitters of one transaction who wait to be told of its block. */
const MAX_WAITERS = 16

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
  #stateRoot: Uint8Array = new Uint8Array(32)
  #deliveries: RootDelivery[] = []
  #rootHeight = 0
  #hasInbound = false
  #committing: Promise<void> | undefined
  #folding: Promise<void> | undefined
  #foldedAt = 0
  #wake: (() => void) | undefined
  #stopping = false
  #busyMs = 0
  #reportedAt = 0
  #stalled = false
  /** Cells of the cell table that are gone since its last fold, by path; known by path only after a restart. */
  readonly #gone = new Map<string, CellDelta>()
  #drops: { readonly status: TransactionStatus; readonly entries: PoolEntry[] }[] = []

  constructor(parts: ShardEngineParts) {
    this.#parts = parts
    this.#cells = new CellStore({ cacheSize: parts.tuning.cacheCells })
    this.mempool = new Mempool(parts.tuning.mempool, (entry, status) => this.#dropped(entry, status))
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

  get rootHeight(): number {
    return this.#rootHeight
  }

  get parts(): ShardEngineParts {
    return this.#parts
  }

  get tip(): ChainTip {
    return present(this.#tip)
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
    if (this.#committing === undefined || this.#stalled) return
    const enough = new AbortController()
    await Promise.race([this.#committing, pause(READ_WAIT_MS, enough.signal)])
    enough.abort()
  }

  /** Resolves when the block at this height is durable. */
  async durable(height: number): Promise<void> {
    while (this.#committed < height) await (this.#committing ?? pause(1))
  }

  /** Reads the state back, compares it with the last header and reports `ready`. @throws StateMismatchError */
  async open(): Promise<void> {
    const { space, store, pricing } = this.#parts
    const recovered = await recover(space, store, pricing.params.depositPerByte)
    this.#tip = recovered.tip
    this.#header = recovered.header
    this.#trie = recovered.trie
    this.#committed = recovered.tip.height
    this.#rootHeight = recovered.tip.rootCursor
    this.#stateRoot = decodeHeader(recovered.header).cellsRoot
    this.#foldedAt = this.#parts.now()
    this.#maker = new BlockMaker(
      {
        space,
        registry: pricing.registry,
        store: this.#cells,
        trie: recovered.trie,
        params: pricing.params,
        load: (ids) => this.load(ids),
      },
      recovered.waiting,
    )
    // Changes after the last fold are in the blocks only: take them in as if they had just been made.
    for (const [key, delta] of recovered.unfolded) {
      if (delta.record === null) this.#gone.set(key, delta)
      else this.#cells.restore(openRecord(delta.record, delta.path))
    }
    this.#parts.report({
      type: 'ready',
      tip: {
        shard: space.id,
        height: this.#tip.height,
        header: recovered.header,
        hash: this.#tip.hash,
        rootCursor: this.#tip.rootCursor,
        stateRoot: this.#stateRoot,
        totals: this.#tip.totals,
        outgoing: new Uint8Array(0),
        outIndex: indexOut([]),
        included: new Uint8Array(0),
        outcomes: new Uint8Array(0),
        waiters: new Uint32Array(0),
      },
    })
  }

  /** Makes blocks until `stop`. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      this.#reportState()
      // With little to do, a block a commit: a fuller next block costs less than two half empty ones.
      const isWaitingForDisk = this.#committing !== undefined && this.mempool.readyCount < this.#parts.tuning.pipelineAt
      if (this.#hasWork() && !isWaitingForDisk) await this.#makeBlock()
      else await this.#idle()
    }
    await this.#committing
    await this.#fold(true)
  }

  stop(): void {
    this.#stopping = true
    this.#wakeUp()
  }

  /** Takes verified transactions in; the report says what was taken. */
  async submit(batch: TransactionBatch): Promise<void> {
    const results = new Uint8Array(batch.lengths.length)
    const messages: [number, string][] = []
    const admissible: { entry: PoolEntry; index: number }[] = []
    const refuse = (index: number, refusal: Refusal): void => {
      results[index] = REFUSED + REFUSAL_CODES.indexOf(refusal.code)
      if (refusal.message !== undefined) messages.push([index, refusal.message])
    }
    let index = 0
    for (const wire of wiresOf(batch)) {
      const made = poolEntry(
        this.#parts.pricing,
        wire,
        batch.ids.subarray(32 * index, 32 * index + 32),
        this.#rootHeight,
      )
      if ('refusal' in made) refuse(index, made.refusal)
      else admissible.push({ entry: made.entry, index })
      index++
    }
    await this.load(admissible.map(({ entry }) => entry.transaction.sender))
    for (const { entry, index } of admissible) {
      const admission = this.mempool.add(entry, this.#cells.get(entry.senderKey))
      if (admission.kind === 'refused') refuse(index, { code: admission.code })
      else {
        results[index] = admission.kind === 'added' ? ADMITTED : KNOWN
        if (batch.wait) this.#wait(admission.kind === 'added' ? entry : admission.entry, { batch: batch.batch, index })
      }
    }
    const admission: BatchAdmission = { batch: batch.batch, results, messages }
    this.#parts.report({ type: 'admitted', admission })
    this.#wakeUp()
  }

  /** Submitting the same bytes over and over must not make the list long: who has waited longest is answered. */
  #wait({ waiters }: PoolEntry, waiter: Waiter): void {
    waiters.push(waiter)
    const oldest = waiters.length > MAX_WAITERS ? waiters.shift() : undefined
    if (oldest === undefined) return
    const drop = {
      status: 'PENDING',
      ids: new Uint8Array(0),
      waiters: Uint32Array.of(oldest.batch, oldest.index),
    } as const
    this.#parts.report({ type: 'dropped', drop })
  }

  /** Takes the next root block in. */
  deliver(delivery: RootDelivery): void {
    if (delivery.height <= this.#rootHeight) return
    if (this.#deliveries.length >= MAX_DELIVERIES) {
      throw new RangeError(`shard ${this.#parts.space.id} has ${MAX_DELIVERIES} root blocks waiting and takes no more`)
    }
    this.#deliveries.push(delivery)
    this.#rootHeight = delivery.height
    if (delivery.sources.length > 0) this.#hasInbound = true
    // Funds may have come, time has passed.
    this.mempool.unpark()
    if (delivery.height % EXPIRY_EVERY === 0) this.mempool.expire(delivery.height)
    this.#compactDeliveries()
    this.#wakeUp()
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
    return this.mempool.readyCount > 0 || this.#hasInbound || present(this.#maker).deferredCount > 0
  }

  async #makeBlock(): Promise<void> {
    const started = performance.now()
    const deliveries = this.#deliveries
    this.#deliveries = []
    this.#hasInbound = false
    const candidates = this.mempool.take({
      count: MAX_BLOCK_TRANSACTIONS,
      bytes: MAX_BODY_BYTES,
      weight: MAX_BLOCK_WEIGHT,
    })
    const now = this.#parts.now()
    let made: Awaited<ReturnType<BlockMaker['make']>>
    try {
      made = await present(this.#maker).make(this.tip, { deliveries, candidates, now })
    } catch (error) {
      if (!isDatabaseAway(error)) throw error
      this.#takeBack(deliveries)
      for (const entry of candidates) this.mempool.putBack(entry)
      this.#setStalled(true, error)
      await pause(STALL_MS)
      return
    }
    const { block, left } = made
    this.#settleLeft(left)
    if (block === undefined) return this.#takeBack(deliveries)
    this.#header = block.headerBytes
    this.#tip = {
      height: block.header.height,
      hash: block.hash,
      rootCursor: block.header.rootCursor,
      arrivals: block.header.arrivals,
      time: block.header.time,
      totals: block.totals,
    }
    this.#busyMs += performance.now() - started
    await this.#committing
    this.#committing = this.#commit(block)
    await this.#fold(false)
  }

  /** Root blocks that no block has consumed. */
  #takeBack(deliveries: readonly RootDelivery[]): void {
    this.#deliveries = [...deliveries, ...this.#deliveries]
    this.#hasInbound = this.#deliveries.some((delivery) => delivery.sources.length > 0)
  }

  async #commit(block: MadeBlock): Promise<void> {
    await commitUntilDurable(this.#parts.store, block, {
      onStall: (error) => this.#setStalled(true, error),
      isStopping: () => this.#stopping,
    })
    this.#setStalled(false)
    this.#cells.committed(block.header.height)
    this.#committed = block.header.height
    this.#stateRoot = block.header.cellsRoot
    this.#committing = undefined
    // Until now they were in the mempool, so that a repeated submission found them somewhere at any time.
    for (const { entry } of block.included) this.mempool.included(entry)
    this.#parts.report({ type: 'block', block: reportOf(block) })
    this.#wakeUp()
  }

  #settleLeft(left: LeftOver): void {
    for (const entry of left.parked) this.mempool.park(entry)
    for (const entry of left.putBack) this.mempool.putBack(entry)
    for (const entry of left.expired) this.mempool.reject(entry, 'EXPIRED')
    for (const entry of left.stale) this.mempool.reject(entry, 'REPLACED')
  }

  /** Writes changed cells to the cell table when enough of them, or enough time, came together. */
  async #fold(force: boolean): Promise<void> {
    const { tuning, now } = this.#parts
    const count = this.#cells.dirtyCount
    const isDue = force || count >= tuning.foldCells || now() - this.#foldedAt >= tuning.foldMs
    if (count === 0 || !isDue) return
    if (this.#folding !== undefined) {
      // Memory for changed cells is bounded: wait when a second fold is due before the first is done.
      if (!force && count < 2 * tuning.foldCells) return
      await this.#folding
    }
    const { height } = this.tip
    const cells = this.#cells.takeDirty()
    this.#foldedAt = now()
    const deltas = cells.map((cell) => ({ path: cell.path, record: isEmpty(cell) ? null : sealRecord(cell) }))
    this.#folding = this.#writeFold(height, deltas)
    if (force) await this.#folding
  }

  async #writeFold(height: number, deltas: readonly CellDelta[]): Promise<void> {
    for (const { path } of deltas) this.#gone.delete(idKey(path))
    const gone = [...this.#gone.values()]
    try {
      await this.#committing
      await this.#parts.store.fold(height, [...deltas, ...gone])
      this.#cells.folded()
      for (const { path } of gone) this.#gone.delete(idKey(path))
    } catch (error) {
      // Nothing is lost: the blocks hold the changes, and the next fold takes these cells again.
      this.#cells.notFolded()
      this.#parts.report({ type: 'warning', message: 'cells were not folded', fields: { error: String(error) } })
    } finally {
      this.#folding = undefined
    }
  }

  #dropped(entry: PoolEntry, status: TransactionStatus): void {
    // Whole senders expire together: one report for all of a status.
    if (this.#drops.length === 0) queueMicrotask(() => this.#reportDrops())
    const same = this.#drops.find((drop) => drop.status === status)
    if (same === undefined) this.#drops.push({ status, entries: [entry] })
    else same.entries.push(entry)
  }

  #reportDrops(): void {
    const drops = this.#drops
    this.#drops = []
    for (const { status, entries } of drops) {
      const ids = concat(...entries.map((entry) => entry.transaction.id))
      const waiters = entries.flatMap((entry) => entry.waiters.flatMap(({ batch, index }) => [batch, index]))
      this.#parts.report({ type: 'dropped', drop: { status, ids, waiters: Uint32Array.from(waiters) } })
    }
  }

  /** Root blocks without messages need no memory of their own: the last one stands for all. */
  #compactDeliveries(): void {
    const { length } = this.#deliveries
    const before = this.#deliveries[length - 2]
    if (before !== undefined && before.sources.length === 0) this.#deliveries.splice(length - 2, 1)
  }

  #setStalled(isStalled: boolean, error?: unknown): void {
    if (this.#stalled === isStalled) return
    this.#stalled = isStalled
    if (isStalled) {
      this.#parts.report({
        type: 'warning',
        message: 'the database does not take blocks; trying again',
        fields: { error: String(error) },
      })
    }
    this.#reportState(true)
  }

  #reportState(force = false): void {
    const now = performance.now()
    const since = now - this.#reportedAt
    if (!force && since < REPORT_MS) return
    this.#parts.report({
      type: 'state',
      status: this.#stalled ? 'STALLED' : 'RUNNING',
      load: Math.min(1, this.#busyMs / Math.max(since, 1)),
      mempool: { size: this.mempool.size, bytes: this.mempool.bytes },
    })
    this.#reportedAt = now
    this.#busyMs = 0
  }

  /** Waits for work, for the block under way, or for the time of the next report. */
  async #idle(): Promise<void> {
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    const waiting = pause(REPORT_MS, woken.signal)
    await (this.#committing === undefined ? waiting : Promise.race([waiting, this.#committing]))
    woken.abort()
  }

  #wakeUp(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}

function reportOf(block: MadeBlock): BlockReport {
  const { header, included } = block
  const ids = new Uint8Array(32 * included.length)
  const waiters: number[] = []
  included.forEach(({ entry, refused, remote }, i) => {
    ids.set(entry.transaction.id, 32 * i)
    const status = WAITER_STATUS.indexOf(remote > 0 ? 'INCLUDED' : refused ? 'FAILED' : 'EXECUTED')
    for (const waiter of entry.waiters) waiters.push(waiter.batch, waiter.index, status)
  })
  return {
    shard: header.shard,
    height: header.height,
    header: block.headerBytes,
    hash: block.hash,
    rootCursor: header.rootCursor,
    stateRoot: header.cellsRoot,
    totals: block.totals,
    outgoing: block.outgoing,
    outIndex: block.outIndex,
    included: ids,
    outcomes: concat(...block.outcomes.map((outcome) => outcome.transaction)),
    waiters: Uint32Array.from(waiters),
  }
}

/** True if trying again may help: the database, not the block, is what failed. */
function isDatabaseAway(error: unknown): boolean {
  return error instanceof Error && 'code' in error && !isRefusedByData(error) && !ENGINE_ERRORS.has(error.name)
}

const ENGINE_ERRORS = new Set(['SupplyError', 'CodecError', 'ForkedError'])

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('the shard was not opened: call open() first')
  return value
}
