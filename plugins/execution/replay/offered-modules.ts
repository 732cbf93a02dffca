import type { ConfiguredPlugin } from '../../../server/plugin.ts'
import { LedgerModules } from '../api.ts'
import { isLedgerModule, type LedgerModule } from '../ledger/module.ts'

/** The ledger modules that plugins contribute, without starting any of them. */
export const offeredModules = (plugins: readonly ConfiguredPlugin[]): LedgerModule[] =>
  plugins
    .flatMap(({ definition }) => definition.contributes ?? [])
    .filter(([point]) => point.id === LedgerModules.id)
    .map(([, contribution]) => contribution)
    .filter(isLedgerModule)
