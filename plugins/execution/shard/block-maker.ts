import { setImmediate } from 'node:timers/promises'
import { type Message, Writer, writeReceipt } from '../../../protocol/index.ts'
import { congestionOf, nextBasePrice } from '../ledger/base-price.ts'
import type { ModuleLibrary } from '../ledger/module-library.ts'
import type { CallRegistry } from '../ledger/registry.ts'
import { MAX_BLOCK_WEIGHT, TRANSACTION_SHARE } from '../ledger/rules.ts'
import type { RootView } from '../root/root-view.ts'
import type { CellStore } from '../state/cell-store.ts'
import type { Holdings } from '../state/holdings.ts'
import { idKey, type LedgerCell } from '../state/ledger-cell.ts'
import type { Trie } from '../state/trie.ts'
import { type Charge, type PricingParts, stillFits } from './admission.ts'
import type { ChainTip } from './chain-tip.ts'
import type { Estate } from './child-state.ts'
import { deferredTrie } from './deferred-trie.ts'
import { Execution } from './execution.ts'
import { type InboundPlan, planInbound, weightOfAll } from './inbound-plan.ts'
import type { DeferredMessage, RootDelivery } from './inbox.ts'
import { judge, type LeftOver, nothingLeft } from './judge.ts'
import { pricingAt } from './ledger-rules.ts'
import type { IncludedTransaction, MadeBlock, TransactionOutcome } from './made-block.ts'
import { indexOut } from './out-index.ts'
import { packBody, packEvents, slices } from './pack.ts'
import type { PoolEntry } from './pool-entry.ts'
import { runInbound } from './run-inbound.ts'
import type { RunMarks } from './run-marks.ts'
import { deferredLeaf, sealCells, sealHeader } from './seal.ts'
import type { ShardSpace } from './shard-space.ts'
import { SupplyError } from './supply-error.ts'

export { SupplyError }

/** What goes into a block. */
export interface BlockInput {
  readonly deliveries: readonly RootDelivery[]
  readonly candidates: readonly PoolEntry[]
  /** Milliseconds since 1970. */
  readonly now: number
}

/** Consensus parameters of the network, from genesis. */
export interface LedgerParams {
  readonly basePrice: bigint
  readonly depositPerByte: bigint
  readonly treasury: { readonly realm: number; readonly id: Uint8Array }
}

export interface BlockMakerParts {
  readonly space: ShardSpace
  /** The root chain says which of its modules a block knows. */
  readonly library: ModuleLibrary
  readonly store: CellStore
  readonly trie: Trie
  readonly params: LedgerParams
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
  readonly #deferredTrie: Trie
  readonly #holdings: Holdings
  #deferred: DeferredMessage[]
  #deferredWeight: { readonly by: CallRegistry; readonly weight: number } | undefined
  #random: Uint8Array
  #view: RootView

  constructor(parts: BlockMakerParts, { waiting, holdings, random, view }: BlockMakerState) {
    this.#parts = parts
    this.#random = random
    this.#view = view
    this.#deferred = [...waiting]
    this.#holdings = holdings
    this.#deferredTrie = deferredTrie(waiting, parts.space.prefix.length)
  }

  /** Messages that wait for room. */
  get deferredCount(): number {
    return this.#deferred.length
  }

  /** The weight of transactions that the next block has room for, at most: deferred messages come first. */
  get room(): number {
    const waiting = Math.min(this.#deferredWeight?.weight ?? 0, MAX_BLOCK_WEIGHT * (1 - TRANSACTION_SHARE))
    return MAX_BLOCK_WEIGHT - waiting
  }

  get deferredRoot(): Uint8Array {
    return this.#deferredTrie.root
  }

  /** The root height at which the shard splits, if that is known as of its last block. */
  get until(): number | undefined {
    return this.#view.shards.get(this.#parts.space.id)?.until ?? undefined
  }

  /** What the shard leaves to its children after its last block: its tip, and that one's header bytes. */
  estate(tip: ChainTip, header: Uint8Array): Estate {
    const { trie } = this.#parts
    const [random, view] = [this.#random, this.#view]
    return { tip, header, trie, holdings: this.#holdings, waiting: this.#deferred, random, view }
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
    const { store, space, params } = this.#parts
    const height = tip.height + 1
    const last = input.deliveries.at(-1)
    const random = last?.random ?? this.#random
    const view = this.viewAfter(input.deliveries)
    const rootCursor = last?.height ?? tip.rootCursor
    const time = Math.max(tip.time, input.now)
    const basePrice = nextBasePrice(tip, rootCursor, params.basePrice)
    const pricing = pricingAt(this.#parts, view, rootCursor)
    const { registry } = pricing
    const inbound = planInbound(
      registry,
      this.#deferred,
      input.deliveries,
      tip.arrivals,
      this.#weighed(registry),
      this.#parts.marks,
    )
    await this.#preload(inbound.now, input.candidates)
    store.begin(height)
    const execution = new Execution({
      ...this.#parts,
      registry,
      context: {
        shard: space.id,
        realm: space.realm,
        height,
        time,
        random,
        root: view,
        depositPerByte: params.depositPerByte,
      },
    })
    try {
      const outcomes = await runInbound(execution, inbound.now, (running) => this.#drain(running))
      const ran = await this.#runTransactions(
        execution,
        input.candidates,
        { rootCursor, basePrice, pricing },
        MAX_BLOCK_WEIGHT - inbound.weight,
      )
      const isLast = view.shards.get(space.id)?.until === rootCursor
      if (!isLast && inbound.now.length === 0 && inbound.arrived === 0 && ran.included.length === 0) {
        store.abort()
        return { block: undefined, left: ran.left }
      }
      execution.payFees(params.treasury)
      const block = this.#seal(tip, execution, inbound, ran, outcomes, { height, rootCursor, time, basePrice })
      store.seal()
      this.#random = random
      this.#view = view
      this.#deferred = inbound.waiting
      this.#deferredWeight = { by: registry, weight: inbound.waitingWeight }
      return { block, left: ran.left }
    } catch (error) {
      store.abort()
      throw error
    }
  }

  /** Weight of the deferred messages; another version of a module may give them another. */
  #weighed(registry: CallRegistry): number {
    if (this.#deferredWeight?.by !== registry)
      this.#deferredWeight = { by: registry, weight: weightOfAll(registry, this.#deferred, this.#parts.marks) }
    return this.#deferredWeight.weight
  }

  /** Loads every cell that is known to be needed, in one query. */
  async #preload(messages: readonly Message[], candidates: readonly PoolEntry[]): Promise<void> {
    const { space, params, load, store, trie } = this.#parts
    const ids = new Map<string, Uint8Array>()
    const want = (realm: number, id: Uint8Array): void => {
      if (realm !== space.realm) return
      const key = idKey(id)
      if (store.get(key) !== undefined || ids.has(key)) return
      const path = store.pathOf(key, id)
      if (space.contains(path) && trie.has(path)) ids.set(key, id)
    }
    want(params.treasury.realm, params.treasury.id)
    for (const message of messages) want(message.realm, message.to)
    for (const { transaction } of candidates) {
      want(transaction.realm, transaction.sender)
      for (const action of transaction.actions) want(action.realm, action.to)
    }
    if (ids.size > 0) await load([...ids.values()])
  }

  async #runTransactions(
    execution: Execution,
    candidates: readonly PoolEntry[],
    place: { readonly rootCursor: number; readonly basePrice: bigint; readonly pricing: PricingParts },
    budget: number,
  ): Promise<Ran> {
    const included: IncludedTransaction[] = []
    const left = nothingLeft()
    const affords = (sender: LedgerCell, charge: Charge) => execution.affords(sender, charge.transaction, charge.cost)
    const receipts = new Writer(160 * candidates.length + 16)
    const receiptAt: number[] = []
    let weight = 0
    for (const entry of candidates) {
      if (!this.#stillFits(entry, place.pricing)) {
        left.unfit.push(entry)
        continue
      }
      if (weight + entry.weight > budget) {
        left.putBack.push(entry)
        continue
      }
      const verdict = judge(entry, this.#parts.store.get(entry.senderKey), place, affords)
      if (typeof verdict === 'string') {
        left[verdict].push(entry)
        continue
      }
      const { sender, charge } = verdict
      execution.begin(sender, charge)
      await this.#drain(execution)
      const { receipt, refused, remote } = execution.receipt(entry.transaction, charge.fee)
      receiptAt.push(receipts.length)
      writeReceipt(receipts, receipt)
      included.push({ entry, refused, remote })
      weight += entry.weight
    }
    return { included, left, receipts: receipts.view(), receiptAt, weight }
  }

  #stillFits(entry: PoolEntry, pricing: PricingParts): boolean {
    const { marks } = this.#parts
    if (marks === undefined || entry.registry === pricing.registry) return stillFits(entry, pricing)
    marks.transaction('transaction', entry.transaction.id)
    return marks.run(() => stillFits(entry, pricing))
  }

  /** Runs what is queued; loads cells that calls turned out to send to. */
  async #drain(execution: Execution): Promise<void> {
    for (let missing = execution.resume(); missing !== undefined; missing = execution.resume()) {
      await this.#parts.load(missing)
    }
    if (this.#parts.isCautious?.() === true) await setImmediate()
  }

  #seal(
    tip: ChainTip,
    execution: Execution,
    inbound: InboundPlan,
    ran: Ran,
    outcomes: readonly TransactionOutcome[],
    place: { height: number; rootCursor: number; time: number; basePrice: bigint },
  ): MadeBlock {
    const { space, store, trie, params } = this.#parts
    const outgoing = execution.outBox.finish()
    const cells = sealCells(store.peekChanges(), params.depositPerByte)
    const change = cells.holdings + inbound.waitingValue
    if (change !== inbound.consumed - outgoing.value) {
      throw new SupplyError(
        `block ${place.height} of ${space.id} would change what the shard holds by ${change} instead of ` +
          `${inbound.consumed - outgoing.value}`,
      )
    }
    cells.leaves.forEach(({ key }, i) => {
      this.#holdings.add(key, cells.moved[i] ?? 0n)
    })
    const { body, bodyAt } = packBody(ran.included)
    const header = sealHeader(
      {
        shard: space.id,
        height: place.height,
        prevHash: tip.hash,
        rootCursor: place.rootCursor,
        arrivals: tip.arrivals + inbound.arrived,
        basePrice: place.basePrice,
        txCount: ran.included.length,
        txWeight: BigInt(ran.weight),
        weight: BigInt(ran.weight + inbound.weight),
        congestion: congestionOf(ran.weight + inbound.weight + inbound.waitingWeight),
        time: place.time,
      },
      {
        receipts: slices(ran.receipts, ran.receiptAt),
        outItems: outgoing.items,
        body,
        cells: trie,
        leaves: cells.leaves,
        deferred: this.#deferredTrie,
        deferredLeaves: [
          ...inbound.done.map((key) => ({ key, leaf: null })),
          ...inbound.added.map(({ key, encoded }) => deferredLeaf(key, encoded)),
        ].sort((a, b) => Buffer.compare(a.key, b.key)),
      },
    )
    return {
      header: header.header,
      headerBytes: header.encoded,
      hash: header.hash,
      body,
      bodyAt,
      included: ran.included,
      receipts: ran.receipts,
      receiptAt: ran.receiptAt,
      outgoing: outgoing.bytes,
      outIndex: indexOut(outgoing.items),
      delta: cells.delta,
      outcomes,
      events: packEvents(execution, header.header, header.hash),
      deferredAdded: inbound.added,
      deferredDone: inbound.done,
      faults: execution.faults,
      totals: {
        holdings: tip.totals.holdings + change,
        emitted: tip.totals.emitted + outgoing.value,
        consumed: tip.totals.consumed + inbound.consumed,
      },
    }
  }
}

interface Ran {
  readonly included: readonly IncludedTransaction[]
  readonly left: LeftOver
  readonly receipts: Uint8Array
  readonly receiptAt: readonly number[]
  readonly weight: number
}
