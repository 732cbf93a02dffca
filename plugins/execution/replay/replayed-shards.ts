import { equal } from '../../../protocol/index.ts'
import type { Network } from '../genesis.ts'
import { type RoutedRoot, sourcesFor } from '../root/feeder.ts'
import type { RootBlock } from '../root/orderer.ts'
import { RootView } from '../root/root-view.ts'
import type { LedgerRules } from '../shard/ledger-rules.ts'
import type { MadeBlock } from '../shard/made-block.ts'
import { shardSpace } from '../shard/shard-space.ts'
import { ReplayMismatch } from './mismatch.ts'
import { ReplayedShard, type RootPast, type StoredBlock } from './replayed-shard.ts'

/** All shards of a chain that is executed again. They begin and are split as the chain says. */
export class ReplayedShards {
  readonly #rules: LedgerRules
  readonly #living: Map<string, ReplayedShard>
  /** Of shards that were split. */
  #transactions = 0

  #view: RootView

  /** `view`: what the root chain exports as of the last root block that was released to them. */
  constructor(rules: LedgerRules, living: readonly ReplayedShard[], view = RootView.EMPTY) {
    this.#rules = rules
    this.#view = view
    // One may stand at its last block.
    const now = living.flatMap((shard) => (shard.isOver ? shard.split() : [shard]))
    this.#living = new Map(now.map((shard) => [shard.space.id, shard]))
  }

  /** The shards of the genesis document. */
  static atGenesis(network: Network, rules: LedgerRules): ReplayedShards {
    return new ReplayedShards(
      rules,
      network.genesis.shards.map((id) => ReplayedShard.atGenesis(id, network, rules)),
    )
  }

  /** Those that go on. */
  get living(): readonly ReplayedShard[] {
    return [...this.#living.values()]
  }

  get transactions(): number {
    return this.living.reduce((sum, shard) => sum + shard.transactions, this.#transactions)
  }

  /** Root block 0 lists the first block of each shard, which genesis alone decides. @throws ReplayMismatch */
  checkFirst({ entries }: RootBlock): void {
    const place = { shard: 'root', height: 0 }
    for (const [id, shard] of this.#living) {
      const entry = entries.find((listed) => listed.shard === id)
      if (entry === undefined || entry.height !== 0 || !equal(entry.hash, shard.hash))
        throw new ReplayMismatch(place, 'entries', `it does not list the first block of shard ${id} that genesis gives`)
    }
  }

  /**
   * Executes a block again; the first block of a shard is compared only, and gives nothing.
   * @throws ReplayMismatch at the first difference
   */
  async replay(stored: StoredBlock, root: RootPast): Promise<MadeBlock | undefined> {
    const shard = this.#living.get(stored.shard)
    if (shard === undefined) throw new ReplayMismatch(stored, 'shard', `there is no shard ${stored.shard}, or no more`)
    if (!shard.isListed) {
      shard.begin(stored)
      return undefined
    }
    const made = await shard.replay(stored, root)
    if (shard.isOver) {
      this.#transactions += shard.transactions
      this.#living.delete(stored.shard)
      for (const child of shard.split()) this.#living.set(child.space.id, child)
    }
    return made
  }

  /** Hands on what a root block brings; shards that were split off from none may begin with it. */
  release(routed: RoutedRoot): void {
    const { height, time, exports, random } = routed
    this.#view = this.#view.with(exports)
    if (height === 0) return
    for (const shard of this.#living.values())
      shard.deliver({ height, time, exports, random, sources: sourcesFor(routed, shard.space) })
    for (const [id, { from, parent }] of this.#view.shards) {
      if (parent !== null || from !== height) continue
      const root = { height, time, random, exports: this.#view.entries() }
      this.#living.set(id, ReplayedShard.atRoot(shardSpace(id), root, this.#rules))
    }
  }
}
