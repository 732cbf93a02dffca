import type { ModuleLibrary } from '../ledger/module-library.ts'
import type { RootView } from '../root/root-view.ts'
import type { PricingParts } from './admission.ts'
import type { LedgerParams } from './block-maker.ts'

/** What never changes while a shard runs: the root chain says which of the modules are used, and when. */
export interface LedgerRules {
  readonly library: ModuleLibrary
  readonly params: LedgerParams
}

/**
 * What a block with this root cursor checks transactions against and prices them by. `view` must be as of it.
 * @throws ModuleSetError if this node lacks a module of it
 */
export const pricingAt = ({ library, params }: LedgerRules, view: RootView, rootHeight: number): PricingParts => ({
  registry: library.registryAt(view, rootHeight),
  params,
  realms: view.realms,
})
