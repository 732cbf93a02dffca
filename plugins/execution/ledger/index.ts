/**
 * What a ledger module is written with. Shard workers import a module's file, so that file imports this and not the
 * whole plugin.
 */
export { CallError, type EngineCode } from './errors.ts'
export {
  type AnyCall,
  type Call,
  type CallContext,
  type CallDefinition,
  type CellType,
  call,
  cellType,
  type Derivation,
  type LedgerModule,
  type LedgerModuleDefinition,
  ledgerModule,
  type Send,
} from './module.ts'
export {
  type RootCallDefinition,
  type RootCell,
  type RootContext,
  type RootRules,
  rootCall,
} from './root-context.ts'
