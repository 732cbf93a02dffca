import { cellPath, ROOT_REALM, shardOf } from '../../protocol/index.ts'
import { type DatabaseOptions, isFenced, type Log, pause, type Sql } from '../../server/plugin.ts'
import type { CellState, Ledger, ShardState, Simulation, SubmitOutcome, TransactionState, Wait } from './api.ts'
import type { Fence } from './fence.ts'
import { readCells } from './gateway/cells.ts'
import { Faucet } from './gateway/faucet.ts'
import type { Destination } from './gateway/router.ts'
import { ShardLoads } from './gateway/shard-loads.ts'
import { simulateEverywhere } from './gateway/simulate.ts'
import { TransactionStates } from './gateway/states.ts'
import { Submissions } from './gateway/submissions.ts'
import { SupplyCheck } from './gateway/supply-check.ts'
import { TransactionWatch } from './gateway/watch.ts'
import type { Network } from './genesis.ts'
import type { OperatorKey } from './keys.ts'
import { sourcesOf } from './ledger/load-modules.ts'
import type { LedgerModule } from './ledger/module.ts'
import { ModuleLibrary } from './ledger/module-library.ts'
import { lackOf, mustHaveModules } from './ledger/module-schedule.ts'
import { BlockIntake } from './root/block-intake.ts'
import { RecentRoots, RootFeeder, type RoutedRoot, routed, sourcesFor } from './root/feeder.ts'
import { LocalOrderer } from './root/local-orderer.ts'
import type { MadeRoot } from './root/made-root.ts'
import { openRootState } from './root/open-root.ts'
import type { Orderer, RootBlock } from './root/orderer.ts'
import { RevealChain } from './root/reveal-chain.ts'
import { RootDesk } from './root/root-desk.ts'
import { ROOT_SPACE, type RootState } from './root/root-state.ts'
import { RootStore } from './root/root-store.ts'
import type { RootView } from './root/root-view.ts'
import type { ShardTuning } from './shard/engine.ts'
import type { BlockReport, ShardReport } from './shard/messages.ts'
import { shardSpace } from './shard/shard-space.ts'
import { WorkerShardHost } from './shard/worker-host.ts'
import { accountState, nextNonce } from './state/account.ts'
import { VerifierPool } from './verify/pool.ts'

/** What a running ledger is made of. */
export interface ChainParts {
  readonly network: Network
  readonly operator: OperatorKey
  readonly sql: Sql
  readonly database: DatabaseOptions
  /** All versions of all modules that the node has. */
  readonly modules: readonly LedgerModule[]
  readonly verifierThreads: number
  /** Milliseconds between root blocks under load; idle ones come once a second. */
  readonly rootIntervalMs: number
  readonly tuning?: Partial<ShardTuning>
  readonly log: Log
  /** Tells the event stream that a block brought events. */
  readonly onEvents: () => void
  /** Every write is held to it. */
  readonly fence: Fence
  /** Called as soon as a write was refused because another node leads. */
  readonly onFenced: () => void
  /** Called for each call of a module that broke instead of refusing, by name. */
  readonly onFaults?: (call: string, count: number) => void
}

interface RunningShard extends Destination {
  readonly host: WorkerShardHost
  readonly feeder: RootFeeder
  height: number
  stateRoot: Uint8Array
  status: ShardState['status']
  load: number
  mempool: ShardState['mempool']
  /** Reports that wait until earlier blocks are taken in. */
  held?: BlockReport[] | undefined
}

const RETRY_MS = 200
const NOTHING = new Uint8Array(0)
/** What waits for a database that is away is not waited for. */
const ABANDON_MS = 500

/** Layer 1 on this machine: shards, the root chain that ties them together, and the way in. */
export class Chain implements Ledger {
  readonly network: Ledger['network']
  readonly #parts: ChainParts & { readonly roots: RootStore }
  readonly #shards: RunningShard[] = []
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
  readonly #library: ModuleLibrary
  #fault: Error | undefined
  /** What this node lacks for blocks to come. */
  #lack: ReturnType<typeof lackOf>

  /** Opens the ledger of a stored network. Nothing runs before `start`. */
  static async open(parts: ChainParts): Promise<Chain> {
    const roots = new RootStore(parts.sql, parts.fence)
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
    this.#library = library
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
        onFatal: (error) => (isFenced(error) ? parts.onFenced() : this.#fail(error)),
      },
      tip,
    )
    this.#root = new RootDesk(state, this.#orderer)
    this.#intake = new BlockIntake({
      roots: parts.roots,
      orderer: this.#orderer,
      recent: this.#recent,
      supply: this.#supply,
    })
    this.#recent.startAfter(tip.header.height)
    for (const id of network.genesis.shards) {
      const space = shardSpace(id)
      const { database, tuning, fence } = parts
      const modules = sourcesOf(parts.modules)
      const data = { shard: id, database, modules, params: network.params, fence, ...(tuning && { tuning }) }
      const host = new WorkerShardHost(data, log)
      const feeder = new RootFeeder({
        host,
        space,
        recent: this.#recent,
        store: parts.roots,
        loads: () => this.#loads.congested,
        log,
      })
      const idle = { height: 0, stateRoot: new Uint8Array(32), load: 0, mempool: { size: 0, bytes: 0 } }
      const shard: RunningShard = { space, host, feeder, status: 'STARTING', ...idle }
      host.onReport((report) => this.#onReport(shard, report))
      this.#shards.push(shard)
    }
    this.#pool = new VerifierPool({ network: network.id, threads: parts.verifierThreads, log })
    this.#states = new TransactionStates(
      sql,
      this.#shards.map(({ host }) => host),
    )
    this.#watch = new TransactionWatch(this.#states, log)
    this.#submissions = new Submissions({
      pool: this.#pool,
      destinations: this.#shards,
      states: this.#states,
      watch: this.#watch,
      log,
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
    // Before any shard runs: from then on new blocks are reported, and must not be counted twice.
    for (const shard of this.#shards) await this.#intake.takeUnlisted(shard)
    try {
      await Promise.all(this.#shards.map(({ host }) => host.start()))
    } catch (error) {
      await this.stop()
      throw error
    }
    this.#orderer.start()
  }

  async stop(): Promise<void> {
    this.#watch.stop()
    await this.#orderer.stop()
    await Promise.all(this.#shards.map(({ feeder }) => feeder.stop()))
    await Promise.all(this.#shards.map(({ host }) => host.stop()))
    await this.#pool.close()
  }

  /** Ends everything at once, whether the database answers or not: another node leads, and this one has no say. */
  async abandon(): Promise<void> {
    this.#watch.stop()
    await Promise.all(this.#shards.map(({ host }) => host.abandon()))
    const ended = Promise.all([this.#orderer.stop(), ...this.#shards.map(({ feeder }) => feeder.stop())])
    await Promise.race([ended, pause(ABANDON_MS)])
    await this.#pool.close()
  }

  /** What is wrong with the ledger, if anything is. */
  health(): { readonly ok: boolean; readonly message?: string } {
    if (this.#fault !== undefined) return { ok: false, message: this.#fault.message }
    const down = this.#shards.filter(({ status }) => status !== 'RUNNING')
    const lack = this.#lack
    // Once it is reached, shards stop: those that have nothing to do have not noticed yet.
    if (down.length === 0)
      return lack === undefined ? { ok: true } : { ok: this.rootHeight() < lack.from, message: lack.message }
    return {
      ok: false,
      message: down.map(({ host, status }) => `shard ${host.id} is ${status.toLowerCase()}`).join(', '),
    }
  }

  /** Of the leader that it works for. */
  get fence(): bigint {
    return this.#parts.fence.fence
  }

  rootHeight(): number {
    return this.#orderer.tip.header.height
  }

  shards(): readonly ShardState[] {
    const shards = this.#shards.map(({ space, height, stateRoot, status, load, mempool }): ShardState => ({
      id: space.id,
      realm: space.realm,
      prefix: space.prefix,
      parent: null,
      status,
      height,
      stateRoot,
      load,
      mempool,
      ...this.#loads.of(space.id, this.rootHeight()),
    }))
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
      congestion: 0,
    }
  }

  shardOf(realm: number, id: Uint8Array): string | undefined {
    if (realm === ROOT_REALM) return ROOT_SPACE.id
    return this.#shardOf(realm, id)?.space.id
  }

  async submit(
    wires: readonly Uint8Array[],
    { wait, signal }: { readonly wait: Wait; readonly signal?: AbortSignal },
  ): Promise<readonly SubmitOutcome[]> {
    return this.#submissions.submit(wires, wait, signal)
  }

  simulate(bytes: Uint8Array): Promise<Simulation> {
    return simulateEverywhere(this.#shards, this.#root, bytes)
  }

  states(ids: readonly Uint8Array[]): Promise<readonly (TransactionState | null)[]> {
    return this.#states.find(ids)
  }

  watch(id: Uint8Array, signal: AbortSignal): AsyncIterable<TransactionState> {
    return this.#watch.states(id, signal)
  }

  async cells(realm: number, ids: readonly Uint8Array[]): Promise<readonly (CellState | null)[]> {
    if (realm === ROOT_REALM) return this.#root.cells(ids)
    return readCells(ids, (id) => this.#shardOf(realm, id)?.host)
  }

  async proof(realm: number, id: Uint8Array): Promise<Uint8Array | null> {
    if (realm === ROOT_REALM) return this.#root.prove(id)
    return (await this.#shardOf(realm, id)?.host.ask({ kind: 'proof', id })) ?? null
  }

  faucet(address: Uint8Array): Promise<SubmitOutcome> {
    return this.#faucet.pay(address)
  }

  supplyCheck(): { readonly rootHeight: number; readonly total: bigint; readonly inFlight: bigint } {
    return this.#supply.last
  }

  #shardOf(realm: number, id: Uint8Array): RunningShard | undefined {
    const path = cellPath(id)
    const space = shardOf(
      this.#shards.map((shard) => shard.space),
      realm,
      path,
    )
    return this.#shards.find((shard) => shard.space === space)
  }

  async #nextNonce(account: Uint8Array, lane: number): Promise<number> {
    const [cell] = await this.cells(0, [account])
    return cell === null || cell === undefined ? 0 : nextNonce(accountState(cell.value as never), lane)
  }

  #onReport(shard: RunningShard, report: ShardReport | { readonly type: 'down' }): void {
    switch (report.type) {
      case 'ready':
        void this.#onReady(shard, report.tip)
        return
      case 'admitted':
        return this.#submissions.router.admitted(report.admission)
      case 'batch-failed':
        return this.#submissions.router.failed(report.batch, report.code, report.message)
      case 'block':
        if (shard.held === undefined) this.#onBlock(shard, report.block)
        else shard.held.push(report.block)
        return
      case 'dropped':
        this.#states.drop(report.drop.ids, report.drop.status)
        this.#submissions.router.dropped(report.drop)
        return this.#watch.touched(report.drop.ids)
      case 'state':
        shard.status = report.status
        shard.load = report.load
        shard.mempool = report.mempool
        return
      case 'fatal':
        if (report.code === 'FENCED') this.#parts.onFenced()
        return
      case 'down':
        shard.status = shard.host.status
        shard.feeder.pauseFeeding()
        return this.#submissions.router.down(shard.host.id)
    }
  }

  /** The shard runs (again). A block may have become durable just before a crash, unreported: it is taken in first. */
  async #onReady(shard: RunningShard, tip: BlockReport): Promise<void> {
    const held: BlockReport[] = []
    shard.held = held
    for (;;) {
      try {
        if (tip.height > shard.height) await this.#intake.takeUnlisted(shard)
        break
      } catch (error) {
        this.#parts.log.warn({ error: String(error), shard: shard.host.id }, 'blocks cannot be read; trying again')
        await pause(RETRY_MS)
      }
    }
    // It crashed again meanwhile, and is ready once more: that call goes on.
    if (shard.held !== held) return
    shard.status = 'RUNNING'
    shard.stateRoot = tip.stateRoot
    this.#loads.note(tip)
    shard.held = undefined
    for (const block of held) this.#onBlock(shard, block)
    shard.feeder.resumeAfter(tip.rootCursor)
    this.#watch.recheck()
  }

  #onBlock(shard: RunningShard, block: BlockReport): void {
    shard.stateRoot = block.stateRoot
    this.#loads.note(block)
    // After a crash it may have been read from the database already.
    if (block.height > shard.height) this.#intake.take(shard, { ...block, index: block.outIndex })
    this.#submissions.router.included(block)
    this.#watch.touched(block.included)
    this.#watch.touched(block.outcomes)
    for (const [call, count] of block.faults) this.#parts.onFaults?.(call, count)
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
    for (const { feeder } of this.#shards) feeder.pump()
    for (const { transaction } of made.outcomes) this.#watch.touched(transaction)
    for (const [call, count] of made.faults) this.#parts.onFaults?.(call, count)
    if (made.events.count > 0) this.#parts.onEvents()
    if (block.exports.length > 0) this.#checkModules()
  }

  /** Tells long before it comes that the network will use what this node has not got. */
  #checkModules(): void {
    const { view, tip } = this.#orderer
    const lack = lackOf(this.#library, view, tip.header.height)
    if (lack !== undefined && lack.message !== this.#lack?.message)
      this.#parts.log.error({ from: lack.from }, `this node lacks a ledger module: ${lack.message}`)
    this.#lack = lack
  }

  #fail(error: Error): void {
    if (this.#fault !== undefined) return
    this.#fault = error
    this.#parts.log.error({ error }, 'the ledger found a fault')
  }
}
