import { ROOT_REALM, toHex } from '../../protocol/index.ts'
import { isFenced, pause } from '../../server/plugin.ts'
import type { CellState, Ledger, ShardState, Simulation, SubmitOutcome, TransactionState, Wait } from './api.ts'
import type { ChainParts } from './chain-parts.ts'
import { Fleet } from './fleet/fleet.ts'
import { isBack, type RunningShard } from './fleet/running-shard.ts'
import { shardOfCell } from './fleet/shard-map.ts'
import { readCells } from './gateway/cells.ts'
import { halted, SubmissionError } from './gateway/errors.ts'
import { Faucet } from './gateway/faucet.ts'
import { ShardLoads } from './gateway/shard-loads.ts'
import { simulateEverywhere } from './gateway/simulate.ts'
import { TransactionStates } from './gateway/states.ts'
import { Submissions } from './gateway/submissions.ts'
import { SupplyCheck } from './gateway/supply-check.ts'
import { TransactionWatch } from './gateway/watch.ts'
import { hostsOf } from './hosting/hosts-of.ts'
import { guardWhileCalling } from './ledger/determinism.ts'
import { LackWatch } from './ledger/lack-watch.ts'
import { sourcesOf } from './ledger/load-modules.ts'
import { ModuleLibrary } from './ledger/module-library.ts'
import { mustHaveModules } from './ledger/module-schedule.ts'
import { oneDatabase } from './query/shard-databases.ts'
import { BlockIntake } from './root/block-intake.ts'
import { RecentRoots, type RoutedRoot, routed, sourcesFor } from './root/feeder.ts'
import { LocalOrderer } from './root/local-orderer.ts'
import type { MadeRoot } from './root/made-root.ts'
import { openRootState } from './root/open-root.ts'
import type { Orderer, RootBlock } from './root/orderer.ts'
import { RevealChain } from './root/reveal-chain.ts'
import { RootDesk } from './root/root-desk.ts'
import { ROOT_SPACE, type RootState } from './root/root-state.ts'
import { RootStore } from './root/root-store.ts'
import type { RootView } from './root/root-view.ts'
import { timeAhead } from './root/time-ahead.ts'
import type { BlockReport } from './shard/messages.ts'
import type { HostReport } from './shard/shard-host.ts'
import { shardSpace } from './shard/shard-space.ts'
import { accountState, nextNonce } from './state/account.ts'
import { VerifierPool } from './verify/pool.ts'

const NOTHING = new Uint8Array(0)
/** What waits for a database that is away is not waited for. */
const ABANDON_MS = 500

/** Layer 1 on this machine: shards, the root chain that ties them together, and the way in. */
export class Chain implements Ledger {
  readonly network: Ledger['network']
  readonly #parts: ChainParts & { readonly roots: RootStore }
  readonly #fleet: Fleet
  readonly #orderer: Orderer
  readonly #root: RootDesk
  readonly #recent = new RecentRoots()
  readonly #supply: SupplyCheck
  readonly #loads: ShardLoads
  readonly #intake: BlockIntake
  readonly #states: TransactionStates
  readonly #watch: TransactionWatch
  readonly #submissions: Submissions
  readonly #faucet: Faucet
  readonly #pool: VerifierPool
  readonly #lack: LackWatch
  #fault: Error | undefined

  /** Opens the ledger of a stored network. Nothing runs before `start`. */
  static async open(parts: ChainParts): Promise<Chain> {
    // Calls of the root chain run in this thread, and must be as blind here as where they are verified.
    guardWhileCalling()
    const roots = new RootStore(parts.sql, parts.fence, parts.hosting?.databases)
    const tip = await roots.tip()
    if (tip === undefined) throw new TypeError('the network has no root block: its genesis was not stored')
    const library = new ModuleLibrary(parts.modules)
    mustHaveModules(library, await roots.viewAt(tip.header.height), tip.header.height)
    const registryAt = (view: RootView, height: number) => library.registryAt(view, height)
    const state = await openRootState({ network: parts.network, roots, tip, registryAt })
    return new Chain({ ...parts, roots }, library, tip, state)
  }

  private constructor(
    parts: ChainParts & { readonly roots: RootStore },
    library: ModuleLibrary,
    tip: RootBlock,
    state: RootState,
  ) {
    const { network, operator, sql, log } = parts
    this.#parts = parts
    this.network = { id: network.id, genesis: network.genesis, supply: network.supply }
    this.#lack = new LackWatch(library, log)
    this.#supply = new SupplyCheck(network.supply)
    this.#loads = new ShardLoads(network.params.basePrice)
    this.#orderer = new LocalOrderer(
      {
        store: parts.roots,
        state,
        sentToRoot: async (block) => sourcesFor(await this.#routed(block), ROOT_SPACE),
        key: operator.key,
        reveals: new RevealChain(operator.seed),
        pace: { busyMs: parts.rootIntervalMs, idleMs: 1000 },
        log,
        now: Date.now,
        onFatal: (error) => {
          this.#intake.halt()
          if (isFenced(error)) parts.onFenced()
          else this.#fail(error)
        },
      },
      tip,
    )
    this.#root = new RootDesk(state, this.#orderer)
    this.#intake = new BlockIntake({
      roots: parts.roots,
      orderer: this.#orderer,
      recent: this.#recent,
      supply: this.#supply,
      onOverrun: (error) => this.#fail(error),
    })
    this.#recent.startAfter(tip.header.height)
    const { database, tuning, fence } = parts
    const modules = sourcesOf(parts.modules)
    const hosts = hostsOf(parts, { database, modules, params: network.params, fence, ...(tuning && { tuning }) })
    this.#fleet = new Fleet({
      hosts,
      intake: this.#intake,
      supply: this.#supply,
      recent: this.#recent,
      roots: parts.roots,
      loads: this.#loads,
      log,
      onBlock: (block) => this.#onBlock(block),
      onReport: (shard, report) => this.#onReport(shard, report),
      onReady: () => {
        this.#submissions.router.sendAgain()
        this.#watch.recheck()
      },
      onSuccession: (parent, child) => this.#submissions.router.succeed(parent.space.id, child),
    })
    this.#pool = new VerifierPool({ network: network.id, threads: parts.verifierThreads, log })
    this.#states = new TransactionStates(parts.hosting?.databases ?? oneDatabase(sql), () =>
      this.#fleet.shards.map(({ host }) => host),
    )
    this.#watch = new TransactionWatch(this.#states, log)
    this.#submissions = new Submissions({
      pool: this.#pool,
      directory: this.#fleet,
      states: this.#states,
      watch: this.#watch,
      log,
      refusal: () => this.#refusal(),
    })
    this.#faucet = new Faucet({
      network,
      operator,
      submissions: this.#submissions,
      rootHeight: () => this.rootHeight(),
      nextNonce: (lane) => this.#nextNonce(operator.key.publicKey, lane),
    })
    this.#orderer.onCommit((block, made) => this.#onRoot(block, made))
  }

  /** Starts shards and root chain where the last run ended. @throws ShardHostError if a shard's state is not sound. */
  async start(): Promise<void> {
    try {
      await this.#fleet.start(this.#orderer.view, this.rootHeight())
    } catch (error) {
      await this.stop()
      throw error
    }
    this.#orderer.start()
  }

  async stop(): Promise<void> {
    this.#watch.stop()
    await this.#orderer.stop()
    await this.#fleet.stop()
    await this.#pool.close()
  }

  /** Ends everything at once, whether the database answers or not: another node leads, and this one has no say. */
  async abandon(): Promise<void> {
    this.#watch.stop()
    await this.#fleet.abandon()
    const ended = Promise.all([this.#orderer.stop(), ...this.#fleet.shards.map(({ feeder }) => feeder.stop())])
    await Promise.race([ended, pause(ABANDON_MS)])
    await this.#pool.close()
  }

  /** What must never be found, and was: value appeared or vanished, or the root chain cannot go on. */
  get fault(): Error | undefined {
    return this.#fault
  }

  /** What is wrong with the ledger, if anything is. */
  health(): { readonly ok: boolean; readonly message?: string } {
    if (this.#fault !== undefined) return { ok: false, message: this.#fault.message }
    const lack = this.#lack.at(this.rootHeight())
    if (lack?.isDue === true) return { ok: false, message: lack.message }
    const trouble = this.#fleet.trouble()
    if (trouble !== undefined) return trouble
    const ahead = timeAhead(this.#orderer.tip.header.time, Date.now())
    const notes = [lack?.message, ahead].filter((note) => note !== undefined)
    return notes.length === 0 ? { ok: true } : { ok: true, message: notes.join(', ') }
  }

  /** Of the leader that it works for. */
  get fence(): bigint {
    return this.#parts.fence.fence
  }

  randomness(): 'SINGLE_OPERATOR' | 'SHARED' {
    return this.#orderer.randomness
  }

  rootHeight(): number {
    return this.#orderer.tip.header.height
  }

  shards(): readonly ShardState[] {
    const height = this.rootHeight()
    const shards = this.#fleet.states().map((shard) => ({ ...shard, ...this.#loads.of(shard.id, height) }))
    return [...shards, this.#rootShard()]
  }

  /** The root chain, as one more shard. */
  #rootShard(): ShardState {
    const { header } = this.#orderer.tip
    return {
      id: ROOT_SPACE.id,
      realm: ROOT_SPACE.realm,
      prefix: '',
      parent: null,
      status: this.#fault === undefined ? 'RUNNING' : 'STOPPED',
      height: header.height,
      stateRoot: header.cellsRoot,
      load: 0,
      mempool: { size: 0, bytes: 0 },
      basePrice: this.#parts.network.params.basePrice,
      congestion: this.#loads.root,
    }
  }

  shardOf(realm: number, id: Uint8Array): string | undefined {
    if (realm === ROOT_REALM) return ROOT_SPACE.id
    return shardOfCell(this.#fleet, realm, id)?.space.id
  }

  async submit(
    wires: readonly Uint8Array[],
    { wait, signal }: { readonly wait: Wait; readonly signal?: AbortSignal },
  ): Promise<readonly SubmitOutcome[]> {
    return this.#submissions.submit(wires, wait, signal)
  }

  simulate(bytes: Uint8Array): Promise<Simulation> {
    return simulateEverywhere(this.#fleet.answering, this.#root, bytes)
  }

  states(ids: readonly Uint8Array[]): Promise<readonly (TransactionState | null)[]> {
    return this.#states.find(ids)
  }

  watch(id: Uint8Array, signal: AbortSignal): AsyncIterable<TransactionState> {
    return this.#watch.states(id, signal)
  }

  async cells(realm: number, ids: readonly Uint8Array[]): Promise<readonly (CellState | null)[]> {
    if (realm === ROOT_REALM) return this.#root.cells(ids)
    return readCells(ids, (id) => shardOfCell(this.#fleet, realm, id)?.host)
  }

  async proof(realm: number, id: Uint8Array): Promise<Uint8Array | null> {
    if (realm === ROOT_REALM) return this.#root.prove(id)
    return (await shardOfCell(this.#fleet, realm, id)?.host.ask({ kind: 'proof', id })) ?? null
  }

  faucet(address: Uint8Array): Promise<SubmitOutcome> {
    return this.#faucet.pay(address)
  }

  supplyCheck(): { readonly rootHeight: number; readonly total: bigint; readonly inFlight: bigint } {
    return this.#supply.last
  }

  async #nextNonce(account: Uint8Array, lane: number): Promise<number> {
    const [cell] = await this.cells(0, [account])
    return cell === null || cell === undefined ? 0 : nextNonce(accountState(cell.value as never), lane)
  }

  #onReport(shard: RunningShard, report: HostReport): void {
    switch (report.type) {
      case 'admitted':
        return this.#submissions.router.admitted(report.admission)
      case 'batch-failed':
        return this.#submissions.router.failed(report.batch, report.code, report.message)
      case 'dropped':
        this.#states.drop(report.drop.ids, report.drop.status)
        this.#submissions.router.dropped(report.drop)
        return this.#watch.touched(report.drop.ids)
      case 'evicted':
        return this.#parts.log.error({ shard: shard.host.id, transaction: toHex(report.id) }, report.message)
      case 'fatal':
        if (report.code === 'FENCED') this.#parts.onFenced()
        return
      case 'down':
        return this.#submissions.router.down(shard.host.id, isBack(shard))
    }
  }

  #onBlock(block: BlockReport): void {
    this.#submissions.router.included(block)
    this.#watch.touched(block.included)
    this.#watch.touched(block.outcomes)
    for (const [call, count] of block.faults) this.#parts.onFaults?.(call, count)
    const count = block.included.length / 32
    if (count > 0) this.#parts.onTransactions?.(shardSpace(block.shard).realm, count)
    this.#parts.onEvents()
  }

  /** A root block with what the shard blocks that it lists sent. */
  async #routed(block: RootBlock): Promise<RoutedRoot> {
    return this.#recent.get(block.header.height) ?? routed({ ...block, released: NOTHING }, this.#parts.roots)
  }

  #onRoot(block: RootBlock, made: MadeRoot): void {
    try {
      this.#intake.release(block)
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)))
    }
    this.#loads.noteRoot(this.#recent.get(block.header.height)?.outgoing ?? [])
    this.#fleet.advance(this.#orderer.view, block.header.height)
    for (const { transaction } of made.outcomes) this.#watch.touched(transaction)
    for (const [call, count] of made.faults) this.#parts.onFaults?.(call, count)
    if (made.events.count > 0) this.#parts.onEvents()
    if (block.exports.length > 0) this.#lack.check(this.#orderer.view, this.rootHeight())
  }

  /** Why nothing can be submitted: what shards took in would never be settled. */
  #refusal(): SubmissionError | undefined {
    if (this.#fault !== undefined) return halted(this.#fault)
    if (!this.#intake.isBehind) return undefined
    return new SubmissionError('OVERLOADED', 'root blocks do not keep up with shard blocks: try again in a moment')
  }

  #fail(error: Error): void {
    if (this.#fault !== undefined) return
    this.#fault = error
    this.#parts.log.error({ error }, 'the ledger found a fault')
  }
}
