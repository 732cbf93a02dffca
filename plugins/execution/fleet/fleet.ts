import { decodeHeader } from '../../../protocol/index.ts'
import { type Log, pause } from '../../../server/plugin.ts'
import type { ShardLoads } from '../gateway/shard-loads.ts'
import type { SupplyCheck } from '../gateway/supply-check.ts'
import type { BlockIntake, DurableBlock } from '../root/block-intake.ts'
import { type RecentRoots, RootFeeder } from '../root/feeder.ts'
import type { RootStore } from '../root/root-store.ts'
import type { RootView } from '../root/root-view.ts'
import type { Handover } from '../shard/handover.ts'
import type { BlockReport } from '../shard/messages.ts'
import { indexOut } from '../shard/out-index.ts'
import { type HostReport, ShardHostError } from '../shard/shard-host.ts'
import type { ShardHosts } from '../shard/shard-hosts.ts'
import type { ShardSeed } from '../shard/shard-seed.ts'
import { shardSpace } from '../shard/shard-space.ts'
import { FINAL_CODES } from '../shard/worker-host.ts'
import { type Described, describe, troubleOf } from './describe.ts'
import { type EndedShard, endedShard, NO_ROOT, type RunningShard } from './running-shard.ts'
import { type Directory, ShardMap } from './shard-map.ts'

const RETRY_MS = 200
const MAX_RETRY_MS = 5_000
/** A shard that was split answers so long what it was asked before its children took over. */
const OUTLIVES_MS = 1_000

export interface FleetParts {
  readonly hosts: ShardHosts
  readonly intake: BlockIntake
  readonly supply: SupplyCheck
  readonly recent: RecentRoots
  readonly roots: RootStore
  readonly loads: ShardLoads
  readonly log: Log
  /** A block became durable, and was taken in. */
  readonly onBlock: (block: BlockReport) => void
  /** Whatever else a shard says. */
  readonly onReport: (shard: RunningShard, report: HostReport) => void
  /** The shard runs (again). */
  readonly onReady: () => void
  /** A shard that was split off from `parent` runs, and takes what its parent had not answered. */
  readonly onSuccession: (parent: RunningShard, child: RunningShard) => void
}

/** The shards that this node runs: they begin, split and end as the root chain says. */
export class Fleet implements Directory<RunningShard> {
  readonly #parts: FleetParts
  readonly #shards = new Map<string, RunningShard>()
  readonly #ended = new Map<string, EndedShard>()
  #map = new ShardMap<RunningShard>([])
  readonly #stopping = new AbortController()
  /** Shards that were split and are about to end. */
  readonly #retiring = new Set<Promise<void>>()

  constructor(parts: FleetParts) {
    this.#parts = parts
  }

  /** Those that answer now, longer prefixes first. */
  get answering(): readonly RunningShard[] {
    return this.#map.shards
  }

  /** All that run, those included that just hand over to their children. */
  get shards(): readonly RunningShard[] {
    return [...this.#shards.values()]
  }

  at(realm: number, pathBits: number): RunningShard | undefined {
    return this.#map.at(realm, pathBits)
  }

  /**
   * Starts all shards that there are as of a root block, where the last run ended.
   * @throws ShardHostError if a shard's state is not sound
   */
  async start(view: RootView, rootHeight: number): Promise<void> {
    const stored = await this.#parts.hosts.stored()
    const ids = new Set(stored.map(({ id }) => id))
    for (const shard of stored) {
      // Of a database that is away it may be known only that there are children.
      const isSplit = shard.isSplit || childrenOf(shard.id).some((child) => ids.has(child))
      if (isSplit) this.#ended.set(shard.id, endedShard(shard))
    }
    await this.#takeOver()
    for (const { id, parent } of stored) if (!this.#ended.has(id)) this.#add(id, parent)
    for (const { id, from } of this.#beginning(view, rootHeight)) this.#add(id, null, undefined, from)
    // Before any shard runs: from then on new blocks are reported, and must not be counted twice.
    for (const shard of this.#shards.values()) {
      // One that writes elsewhere may do so for the leader before, until its start: it is taken in after that.
      if (shard.host.isElsewhere) this.#parts.supply.unknown(shard.space.id)
      else await this.#parts.intake.takeUnlisted(shard)
      this.#limit(shard, view)
    }
    for (const shard of this.#shards.values()) shard.answers = true
    this.#map = new ShardMap(this.#shards.values())
    await Promise.all([...this.#shards.values()].map(({ host }) => host.start()))
  }

  /** Takes a root block in: shards begin, or learn when they split, and all are fed. */
  advance(view: RootView, rootHeight: number): void {
    for (const { id, from } of this.#beginning(view, rootHeight)) {
      void this.#bringUp(this.#add(id, null, undefined, from))
    }
    for (const shard of this.#shards.values()) {
      this.#limit(shard, view)
      shard.feeder.pump()
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.shards.map(({ feeder }) => feeder.stop()))
    await Promise.all([...this.shards.map(({ host }) => host.stop()), ...this.#retiring])
    await this.#parts.hosts.close()
  }

  /** Ends all at once, whether the database answers or not. Resolves when the threads are gone. */
  async abandon(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([...this.shards.map(({ host }) => host.abandon()), ...this.#retiring])
    await this.#parts.hosts.close()
  }

  /** How they are; also those that were split. By realm, then prefix: a shard stands before what it was split into. */
  states(): Described[] {
    return describe(
      this.shards.filter(({ space }) => !this.#ended.has(space.id)),
      [...this.#ended.values()],
    )
  }

  /** Those that do not run and should; undefined if all do. */
  trouble(): ReturnType<typeof troubleOf> {
    return troubleOf(this.shards)
  }

  #add(id: string, parent: string | null, seed?: ShardSeed, from?: number): RunningShard {
    const { hosts, recent, roots, loads, log } = this.#parts
    const host = hosts.create(id, seed, from)
    const space = shardSpace(id)
    const feeder = new RootFeeder({ host, space, recent, store: roots, loads: () => loads.congested, log })
    const shard: RunningShard = {
      space,
      host,
      feeder,
      parent,
      status: 'STARTING',
      height: -1,
      stateRoot: NO_ROOT,
      load: 0,
      mempool: { size: 0, bytes: 0 },
      answers: false,
      since: performance.now(),
    }
    host.onReport((report) => this.#onReport(shard, report))
    this.#shards.set(id, shard)
    return shard
  }

  /** Shards that were split off from none, exist as of this root height and are not known yet. */
  #beginning(view: RootView, rootHeight: number): { readonly id: string; readonly from: number | undefined }[] {
    const begun: { readonly id: string; readonly from: number | undefined }[] = []
    for (const [id, { parent, from }] of view.shards) {
      if (parent !== null || from > rootHeight || this.#shards.has(id) || this.#ended.has(id)) continue
      // What genesis made has its first block from there.
      begun.push({ id, from: from === 0 ? undefined : from })
    }
    return begun
  }

  /** A shard that is split takes in no root block beyond the one at which it splits; its children get ready. */
  #limit({ space, feeder }: RunningShard, view: RootView): void {
    const until = view.shards.get(space.id)?.until
    if (until === undefined || until === null) return
    feeder.endAt(until)
    if (this.#ended.has(space.id) || this.#stopping.signal.aborted) return
    for (const child of childrenOf(space.id)) this.#parts.hosts.prepare(child)
  }

  /** Takes in the last blocks of shards that were split when the node stopped: no root block may list them yet. */
  async #takeOver(): Promise<void> {
    const { intake, roots, supply } = this.#parts
    const listed = await roots.everListed([...this.#ended.keys()].flatMap(childrenOf))
    for (const id of this.#ended.keys()) {
      if (childrenOf(id).every((child) => listed.has(child))) continue
      supply.split(id, childrenOf(id))
      await intake.takeUnlisted({ host: { id }, height: -1 })
    }
  }

  /** Starts a shard while others run, however long it takes. */
  async #bringUp(shard: RunningShard): Promise<void> {
    for (let wait = RETRY_MS; !this.#stopping.signal.aborted; wait = Math.min(2 * wait, MAX_RETRY_MS)) {
      try {
        return await shard.host.start()
      } catch (error) {
        if (this.#stopping.signal.aborted) return
        shard.status = shard.host.status
        const isFinal = error instanceof ShardHostError && FINAL_CODES.has(error.code)
        this.#parts.log.error({ shard: shard.space.id, error: String(error), isFinal }, 'a new shard does not begin')
        if (isFinal) return
        await pause(wait, this.#stopping.signal)
      }
    }
  }

  #onReport(shard: RunningShard, report: HostReport): void {
    switch (report.type) {
      case 'ready':
        void this.#onReady(shard, report.tip)
        return
      case 'block':
        return this.#inTurn(shard, () => this.#onBlock(shard, report.block))
      case 'state':
        if (shard.status !== 'SPLIT') shard.status = report.status
        shard.load = report.load
        shard.mempool = report.mempool
        return
      case 'halted':
        shard.problem = report.reason
        return
      case 'split':
        return this.#inTurn(shard, () => this.#onSplit(shard, report.handover))
      case 'adopted':
        return this.#onAdopted(shard)
      case 'down':
        if (shard.status !== 'SPLIT') shard.status = shard.host.status
        shard.feeder.pauseFeeding()
        return this.#parts.onReport(shard, report)
      default:
        return this.#parts.onReport(shard, report)
    }
  }

  /** While earlier blocks are read from the database, what comes later waits. */
  #inTurn({ held }: RunningShard, act: () => void): void {
    if (held === undefined) act()
    else held.push(act)
  }

  /** The shard runs (again). A block may have become durable just before a crash, unreported: it is taken in first. */
  async #onReady(shard: RunningShard, tip: BlockReport): Promise<void> {
    const held: (() => void)[] = []
    shard.held = held
    if (tip.height > shard.height || shard.host.isElsewhere) await this.#takeUnlisted(shard)
    // It crashed again meanwhile, and is ready once more: that call goes on.
    if (shard.held !== held) return
    shard.held = undefined
    shard.status = 'RUNNING'
    shard.answers = true
    shard.stateRoot = tip.stateRoot
    this.#parts.loads.note(tip)
    for (const act of held) act()
    this.#succeed(shard)
    shard.feeder.resumeAfter(tip.rootCursor)
    this.#parts.onReady()
  }

  /** Takes in what the database has of a shard's blocks and nobody told, however long that takes. */
  async #takeUnlisted(shard: RunningShard): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#parts.intake.takeUnlisted(shard)
        return this.#parts.supply.known(shard.space.id)
      } catch (error) {
        this.#parts.log.warn({ error: String(error), shard: shard.space.id }, 'blocks cannot be read; trying again')
        await pause(RETRY_MS, this.#stopping.signal)
      }
    }
  }

  #onBlock(shard: RunningShard, block: BlockReport): void {
    shard.stateRoot = block.stateRoot
    this.#parts.loads.note(block)
    // After a crash it may have been read from the database already.
    if (block.height > shard.height) this.#parts.intake.take(shard, { ...block, index: block.outIndex })
    this.#parts.onBlock(block)
  }

  #onSplit(parent: RunningShard, handover: readonly [Handover, Handover] | null): void {
    const { space, height, stateRoot } = parent
    if (this.#ended.has(space.id)) return
    parent.status = 'SPLIT'
    this.#ended.set(space.id, { space, parent: parent.parent, height, stateRoot })
    this.#parts.supply.split(space.id, childrenOf(space.id))
    this.#parts.loads.forget(space.id)
    const children = childrenOf(space.id).map((id, bit) => {
      const given = handover?.[bit]
      const child = this.#add(id, space.id, given?.seed)
      child.inheritance = { from: parent, pool: given?.pool }
      // Both first blocks go to the root chain at once: until it lists both, their parent counts for them.
      if (given !== undefined) this.#parts.intake.take(child, firstOf(given.seed))
      return child
    })
    this.#parts.log.info({ shard: space.id, into: childrenOf(space.id) }, `shard ${space.id} is split`)
    void this.#begin(children)
  }

  async #begin(children: readonly RunningShard[]): Promise<void> {
    for (const child of children) if (child.height < 0) await this.#takeUnlisted(child)
    await Promise.all(children.map((child) => this.#bringUp(child)))
  }

  /** A new shard takes its place: from now on it is asked, and gets what waited for it. */
  #succeed(shard: RunningShard): void {
    const { inheritance } = shard
    this.#map = new ShardMap(this.shards.filter(({ answers }) => answers))
    if (inheritance === undefined) return
    if (inheritance.pool === undefined) this.#onAdopted(shard)
    else shard.host.adopt(inheritance.pool)
    this.#parts.onSuccession(inheritance.from, shard)
  }

  #onAdopted(shard: RunningShard): void {
    const parent = shard.inheritance?.from
    shard.inheritance = undefined
    if (parent === undefined || this.shards.some(({ inheritance }) => inheritance?.from === parent)) return
    this.#shards.delete(parent.space.id)
    this.#map = new ShardMap(this.shards.filter(({ answers }) => answers))
    const retiring = this.#retire(parent).finally(() => this.#retiring.delete(retiring))
    this.#retiring.add(retiring)
  }

  async #retire({ feeder, host, space }: RunningShard): Promise<void> {
    const { log } = this.#parts
    await pause(OUTLIVES_MS, this.#stopping.signal)
    try {
      await feeder.stop()
      await host.stop()
    } catch (error) {
      log.warn({ shard: space.id, error: String(error) }, 'a shard that was split did not stop')
    }
  }
}

/** A child's first block, as the root chain takes it: it sends nothing. */
const firstOf = ({ header, hash, totals }: ShardSeed): DurableBlock => {
  const { height } = decodeHeader(header)
  return { height, hash, header, totals, outgoing: new Uint8Array(0), index: indexOut([]) }
}

/** The names of the shards that one is split into. */
const childrenOf = (id: string): readonly [string, string] => [`${id}0`, `${id}1`]
