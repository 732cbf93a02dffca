import type { LedgerModule } from '../ledger/module.ts'
import { module } from './module.ts'
import { realm } from './realm.ts'
import { shard } from './shard.ts'

/** The root chain's own modules: every network has them. */
export const SYSTEM_MODULES: readonly LedgerModule[] = [module, realm, shard]
