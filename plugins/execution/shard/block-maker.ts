import { setImmediate } from 'node:timers/promises'
import { nextBasePrice } from '../ledger/base-price.ts'
import { MAX_BLOCK_WEIGHT } from '../ledger/rules.ts'
import type { RootView } from '../root/root-view.ts'
import type { CellStore } from '../state/cell-store.ts'
import type { Holdings } from '../state/holdings.ts'
import type { Trie } from '../state/trie.ts'
import type { ChainTip } from './chain-tip.ts'
import type { Estate } from './child-state.ts'
import { DeferredMessages } from './deferred-messages.ts'
import { Execution } from './execution.ts'
import { planInbound } from './inbound-plan.ts'
import type { DeferredMessage, RootDelivery } from './inbox.ts'
import type { LeftOver } from './judge.ts'
import { type LedgerRules, pricingAt } from './ledger-rules.ts'
import type { MadeBlock } from './made-block.ts'
import { neededCells } from './needed-cells.ts'
import type { PoolEntry } from './pool-entry.ts'
import { runInbound } from './run-inbound.ts'
import type { RunMarks } from './run-marks.ts'
import { runTransactions } from './run-transactions.ts'
import { sealBlock } from './seal-block.ts'
import type { ShardSpace } from './shard-space.ts'

/** What goes into a block. */
export interface BlockInput {
  readonly deliveries: readonly RootDelivery[]
  readonly candidates: readonly PoolEntry[]
  /** By the clock, in milliseconds since 1970. */
  readonly now: number
}

export interface BlockMakerParts extends LedgerRules {
  readonly space: ShardSpace
  readonly store: CellStore
  readonly trie: Trie
  /** Brings cells into the store, in one query. */
  readonly load: (ids: readonly Uint8Array[]) => Promise<void>
  /** Where it says what it runs; nobody looks if absent. */
  readonly marks?: RunMarks
  /** True while it has to wait after each run for what that left behind, so that it is known whose it is. */
  readonly isCautious?: () => boolean
}

/** Where a block maker goes on from: what the last block left. */
export interface BlockMakerState {
  readonly waiting: readonly DeferredMessage[]
  /** What the cells of the trie are worth; the block maker goes on with it. */
  readonly holdings: Holdings
  /** Of the root block that the last block's cursor names, as the view is. */
  readonly random: Uint8Array
  readonly view: RootView
}

/** Makes one shard's blocks: runs messages and transactions, and seals what they changed. */
export class BlockMaker {
  readonly #parts: BlockMakerParts
  readonly #deferred: DeferredMessages
  readonly #holdings: Holdings
  #random: Uint8Array
  #view: RootView

  constructor(parts: BlockMakerParts, { waiting, holdings, random, view }: BlockMakerState) {
    this.#parts = parts
    this.#random = random
    this.#view = view
    this.#deferred = new DeferredMessages(waiting, parts.space.prefix.length, parts.marks)
    this.#holdings = holdings
  }

  /** Messages that wait for room. */
  get deferredCount(): number {
    return this.#deferred.list.length
  }

  /** The weight of transactions that the next block has room for, at most: deferred messages come first. */
  get room(): number {
    return this.#deferred.roomBeside
  }

  get deferredRoot(): Uint8Array {
    return this.#deferred.root
  }

  /** The root height at which the shard splits, if that is known as of its last block. */
  get until(): number | undefined {
    return this.#view.shards.get(this.#parts.space.id)?.until ?? undefined
  }

  /** What the shard leaves to its children after its last block: its tip, and that one's header bytes. */
  estate(tip: ChainTip, header: Uint8Array): Estate {
    const { trie } = this.#parts
    const [random, view, waiting] = [this.#random, this.#view, this.#deferred.list]
    return { tip, header, trie, holdings: this.#holdings, waiting, random, view }
  }

  /** What the root chain exports, for a block that takes these root blocks in. */
  viewAfter(deliveries: readonly RootDelivery[]): RootView {
    return this.#view.with(deliveries.flatMap(({ exports }) => exports))
  }

  /**
   * Makes the block after `tip`: deferred messages, then inbound ones, then transactions. Without any of them there is
   * no block: the root blocks that were delivered wait for the next one. But a shard that is split makes its last block
   * anyway: the one that takes in the root block at which it splits, and none beyond that.
   * @throws SupplyError if value appeared or vanished, BadRunError if a transaction or message cannot be run to its end;
   *   the store is as before then, and so is what comes next.
   */
  async make(tip: ChainTip, input: BlockInput): Promise<{ block: MadeBlock | undefined; left: LeftOver }> {
    const { store, space, params, marks, load } = this.#parts
    const { deliveries, candidates, now } = input
    const last = deliveries.at(-1)
    const random = last?.random ?? this.#random
    const view = this.viewAfter(deliveries)
    const rootCursor = last?.height ?? tip.rootCursor
    const basePrice = nextBasePrice(tip, rootCursor, params.basePrice)
    // Whatever clocks say: not before the block before, nor before the last root block that it takes in.
    const time = Math.max(tip.time, last?.time ?? 0, now)
    const place = { height: tip.height + 1, rootCursor, time, basePrice }
    const pricing = pricingAt(this.#parts, view, rootCursor)
    const { registry } = pricing
    const deferred = this.#deferred
    const inbound = planInbound(registry, deferred.list, deliveries, tip.arrivals, deferred.weightBy(registry), marks)
    const missing = neededCells(this.#parts, inbound.now, candidates)
    if (missing.length > 0) await load(missing)
    store.begin(place.height)
    const { depositPerByte } = params
    const context = {
      shard: space.id,
      realm: space.realm,
      height: place.height,
      time,
      random,
      root: view,
      depositPerByte,
    }
    const execution = new Execution({ ...this.#parts, registry, context })
    try {
      const drain = (running: Execution) => this.#drain(running)
      const outcomes = await runInbound(execution, inbound.now, drain)
      const budget = MAX_BLOCK_WEIGHT - inbound.weight
      const ran = await runTransactions({ execution, store, marks, drain }, candidates, {
        rootCursor,
        basePrice,
        pricing,
        budget,
      })
      const isLast = view.shards.get(space.id)?.until === rootCursor
      if (!isLast && inbound.now.length === 0 && inbound.arrived === 0 && ran.included.length === 0) {
        store.abort()
        return { block: undefined, left: ran.left }
      }
      execution.payFees(params.treasury)
      const state = { space, store, trie: this.#parts.trie, params, deferred, holdings: this.#holdings }
      const block = sealBlock(state, { tip, execution, inbound, outcomes, ran, place })
      store.seal()
      this.#random = random
      this.#view = view
      deferred.become(inbound, registry)
      return { block, left: ran.left }
    } catch (error) {
      store.abort()
      throw error
    }
  }

  /** Runs what is queued; loads cells that calls turned out to send to. */
  async #drain(execution: Execution): Promise<void> {
    for (let missing = execution.resume(); missing !== undefined; missing = execution.resume()) {
      await this.#parts.load(missing)
    }
    if (this.#parts.isCautious?.() === true) await setImmediate()
  }
}
