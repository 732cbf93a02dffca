import { ROOT_SHARD } from '../../../protocol/index.ts'
import type { BlockPlace } from '../api.ts'
import type { RootBlock } from '../root/orderer.ts'
import type { Totals } from '../shard/made-block.ts'

/** The invariant did not hold: value appeared or vanished. */
export class SupplyInvariantError extends Error {
  override readonly name = 'SupplyInvariantError'
  readonly code = 'SUPPLY_INVARIANT'
}

/** Checks at every root block that balances + deposits + in flight = supply, over the blocks that it commits. */
export class SupplyCheck {
  readonly #supply: bigint
  /** Until a root block lists them. Bounded by what the root chain takes in (BlockIntake). */
  readonly #unlisted = new Map<string, Totals>()
  readonly #listed = new Map<string, Totals>()
  /** Children of shards that were split, while root blocks do not list both: until then their parent counts. */
  readonly #splits = new Map<string, readonly string[]>()
  readonly #unknown = new Set<string>()
  #last = { rootHeight: 0, total: 0n, inFlight: 0n }

  constructor(supply: bigint) {
    this.#supply = supply
    this.#last = { rootHeight: 0, total: supply, inFlight: 0n }
  }

  get last(): { readonly rootHeight: number; readonly total: bigint; readonly inFlight: bigint } {
    return this.#last
  }

  /** A durable block, and what its shard holds after it. */
  block({ shard, height }: BlockPlace, totals: Totals): void {
    this.#unlisted.set(`${shard} ${height}`, totals)
  }

  /** What this shard holds is told later, by `listed`: until then nothing can be checked. */
  unknown(shard: string): void {
    this.#unknown.add(shard)
  }

  /** Whatever there is of the shard was told. */
  known(shard: string): void {
    this.#unknown.delete(shard)
  }

  /** A block that a root block had listed before this node started. */
  listed(shard: string, totals: Totals): void {
    this.#unknown.delete(shard)
    this.#listed.set(shard, totals)
  }

  /** A shard was split: what it held its children hold, once a root block lists both. */
  split(shard: string, children: readonly string[]): void {
    this.#splits.set(shard, children)
  }

  /** @throws SupplyInvariantError if the sum is not the supply. */
  root({ header, entries, totals: root }: RootBlock): void {
    this.#listed.set(ROOT_SHARD, root)
    for (const { shard, height } of entries) {
      const key = `${shard} ${height}`
      const totals = this.#unlisted.get(key)
      this.#unlisted.delete(key)
      if (totals !== undefined) this.#listed.set(shard, totals)
    }
    if (this.#unknown.size > 0) return
    const newborn = new Set<string>()
    for (const [parent, children] of this.#splits) {
      if (children.every((child) => this.#listed.has(child))) {
        this.#listed.delete(parent)
        this.#splits.delete(parent)
      } else for (const child of children) newborn.add(child)
    }
    let held = 0n
    let inFlight = 0n
    for (const [shard, totals] of this.#listed) {
      if (newborn.has(shard)) continue
      held += totals.holdings
      inFlight += totals.emitted - totals.consumed
    }
    this.#last = { rootHeight: header.height, total: held + inFlight, inFlight }
    if (this.#last.total !== this.#supply) {
      throw new SupplyInvariantError(
        `at root height ${header.height} balances, deposits and values in flight sum to ${this.#last.total}, ` +
          `the supply is ${this.#supply}`,
      )
    }
  }
}
