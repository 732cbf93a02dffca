import type { LedgerModule } from '../../../plugins/execution/ledger/index.ts'
import { drawModules, saltedCalls } from './draw-modules.ts'
import { plannedModule } from './planned-module.ts'

/** The modules of a seed. Threads find them in `shard-modules.ts`, which draws them once more. */
export function randomModules(seed: number): readonly LedgerModule[] {
  const plans = drawModules(seed)
  const salted = saltedCalls(plans)
  const url = new URL(`./shard-modules.ts?seed=${seed}`, import.meta.url).href
  return plans.map((plan) => plannedModule(plan, salted, url))
}
