import type { Network } from '../genesis.ts'
import type { CallRegistry } from '../ledger/registry.ts'
import type { RootBlock } from './orderer.ts'
import { RootState } from './root-state.ts'
import type { RootStore } from './root-store.ts'
import type { RootView } from './root-view.ts'

/** What the root chain's state goes on with after a restart. */
export interface OpenRootParts {
  readonly network: Network
  readonly roots: RootStore
  readonly tip: RootBlock
  readonly registryAt: (view: RootView, height: number) => CallRegistry
}

/** Reads the root chain's state back and compares it with the last root header. @throws StateMismatchError */
export async function openRootState({ network, roots, tip, registryAt }: OpenRootParts): Promise<RootState> {
  const { height } = tip.header
  const view = await roots.viewAt(height)
  const state = new RootState(
    { rules: network.rules, depositPerByte: network.params.depositPerByte, registryAt },
    { height, cells: await roots.cells(), view, totals: tip.totals },
  )
  state.check(tip.header)
  return state
}
