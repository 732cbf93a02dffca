import type { ModuleLibrary } from '../ledger/module-library.ts'
import type { RootView } from '../root/root-view.ts'
import type { PricingParts } from './admission.ts'

/** Consensus parameters of the network, from genesis. */
export interface LedgerParams {
  /** Units for one of weight, while there is little to do. */
  readonly basePrice: bigint
  /** Units for one byte of a module's cell. */
  readonly depositPerByte: bigint
  /** The cell that fees go to. */
  readonly treasury: { readonly realm: number; readonly id: Uint8Array }
}

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
