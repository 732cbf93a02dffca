import type { DatabaseOptions, Log, Sql } from '../../server/plugin.ts'
import type { Fence } from './fence.ts'
import type { Network } from './genesis.ts'
import type { ShardHosting } from './hosting/shard-hosting.ts'
import type { OperatorKey } from './keys.ts'
import type { LedgerModule } from './ledger/module.ts'
import type { ShardTuning } from './shard/engine.ts'

/** What a running ledger is made of. */
export interface ChainParts {
  readonly network: Network
  readonly operator: OperatorKey
  readonly sql: Sql
  readonly database: DatabaseOptions
  /** All versions of all modules that the node has. */
  readonly modules: readonly LedgerModule[]
  readonly verifierThreads: number
  /** Milliseconds between root blocks under load; idle ones come once a second. */
  readonly rootIntervalMs: number
  readonly tuning?: Partial<ShardTuning>
  readonly log: Log
  /** Shards that live elsewhere; all live here if absent. */
  readonly hosting?: ShardHosting | undefined
  /** Tells the event stream that a block brought events. */
  readonly onEvents: () => void
  /** Every write is held to it. */
  readonly fence: Fence
  /** Called as soon as a write was refused because another node leads. */
  readonly onFenced: () => void
  /** Called for each call of a module that broke instead of refusing, by name. */
  readonly onFaults?: (call: string, count: number) => void
  /** Called for each block with transactions, with its shard's realm. */
  readonly onTransactions?: (realm: number, count: number) => void
}
