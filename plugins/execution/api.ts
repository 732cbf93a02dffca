/** The execution plugin's public face: tokens and the shapes behind them. */
import { z } from 'zod'
import type { Genesis } from '../../protocol/index.ts'
import { extensionPoint, service, topic, typeRef } from '../../server/plugin.ts'
import type { LedgerModule } from './ledger/module.ts'

export { CallError, type EngineCode } from './ledger/errors.ts'
export * from './ledger/index.ts'
export {
  type Call,
  type CallContext,
  type CellType,
  call,
  cellType,
  type Derivation,
  type LedgerModule,
  ledgerModule,
  type Send,
} from './ledger/module.ts'

/** Until when a submission waits for its answer: not at all, until durable, until done in all shards. */
export type Wait = 'NONE' | 'INCLUDED' | 'EXECUTED'

export type TransactionStatus = 'PENDING' | 'INCLUDED' | 'EXECUTED' | 'FAILED' | 'EXPIRED' | 'REPLACED' | 'EVICTED'

/** Why a transaction was not taken. */
export type RefusalCode =
  | 'MALFORMED'
  | 'NOT_CANONICAL'
  | 'TOO_LARGE'
  | 'WRONG_NETWORK'
  | 'BAD_SIGNATURE'
  | 'KEY_NOT_AUTHORISED'
  | 'EXPIRED'
  | 'NONCE_USED'
  | 'NONCE_TOO_FAR'
  | 'INSUFFICIENT_FUNDS'
  | 'FEE_TOO_LOW'
  | 'UNKNOWN_CALL'
  | 'BAD_ARGUMENTS'
  | 'MEMPOOL_FULL'

/** A block of a shard, by its place. */
export interface BlockPlace {
  readonly shard: string
  readonly height: number
}

export type SubmitOutcome =
  | {
      readonly kind: 'accepted'
      readonly id: Uint8Array
      /** It was known before; nothing was done twice. */
      readonly duplicate: boolean
      readonly status: TransactionStatus
      /** Where it was included, once it was. */
      readonly at: BlockPlace | null
    }
  | { readonly kind: 'refused'; readonly id: Uint8Array | null; readonly code: RefusalCode; readonly message: string }

/** Present status of a transaction that the node knows. */
export interface TransactionState {
  readonly id: Uint8Array
  readonly status: TransactionStatus
  readonly at: BlockPlace | null
  /** The signed bytes while it is not in a block; after that they are read from the block. */
  readonly pending: Uint8Array | null
}

/** What one action came to. */
export interface ActionOutcome {
  /** DONE, REFUSED, or SENT: on its way to another shard. */
  readonly status: 'DONE' | 'REFUSED' | 'SENT'
  readonly error: { readonly code: string; readonly message: string } | null
  /** The shard that it ran in. */
  readonly shard: string
  readonly events: readonly { readonly topic: string; readonly payload: unknown }[]
}

/** What a transaction would do now; nothing is kept. */
export type Simulation =
  | {
      readonly kind: 'done'
      readonly id: Uint8Array
      readonly fee: bigint
      readonly weight: bigint
      readonly actions: readonly ActionOutcome[]
    }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly message: string }

/** A cell as committed. `value` is decoded CBOR. */
export interface CellState {
  readonly id: Uint8Array
  readonly realm: number
  readonly shard: string
  readonly owner: string
  readonly balance: bigint
  /** Held for the size of the value, in the smallest unit. */
  readonly deposit: bigint
  readonly value: unknown
  /** The committed height that this was read at. */
  readonly height: number
}

/** What a shard is doing now. */
export interface ShardState {
  readonly id: string
  readonly realm: number
  readonly prefix: string
  readonly parent: string | null
  /**
   * RUNNING, or why it is not: STARTING, RESTARTING (its worker crashed), STALLED (the database is away), STOPPED, SPLIT
   * (its children go on).
   */
  readonly status: 'STARTING' | 'RUNNING' | 'RESTARTING' | 'STALLED' | 'STOPPED' | 'SPLIT'
  readonly height: number
  readonly stateRoot: Uint8Array
  /** The part of the last second that it spent executing, 0 to 1. */
  readonly load: number
  readonly mempool: { readonly size: number; readonly bytes: number }
  /** What its next block charges for a unit of weight, in the smallest unit; it falls while the shard is idle. */
  readonly basePrice: bigint
  /** Of its last block: what it ran and what waits for room, in percent of a full block. */
  readonly congestion: number
}

/** Layer 1, as other plugins and the GraphQL edge use it. */
export interface Ledger {
  readonly network: {
    readonly id: Uint8Array
    readonly genesis: Genesis
    /** Base units; constant. */
    readonly supply: bigint
  }
  /** Who makes the randomness that calls see: one operator, who can predict it, or several validators. */
  randomness(): 'SINGLE_OPERATOR' | 'SHARED'
  /** Height of the last durable root block. */
  rootHeight(): number
  shards(): readonly ShardState[]
  /** The shard that a cell lives in; undefined if the realm does not exist. */
  shardOf(realm: number, id: Uint8Array): string | undefined
  /** Submits signed transactions; one outcome each, in order. Answers as it stands after 10 s. */
  submit(
    wires: readonly Uint8Array[],
    options: { readonly wait: Wait; readonly signal?: AbortSignal },
  ): Promise<readonly SubmitOutcome[]>
  /** Runs signed or unsigned transaction bytes on a copy of the state. */
  simulate(bytes: Uint8Array): Promise<Simulation>
  /** Present states, in the order of the ids; null for unknown ones. */
  states(ids: readonly Uint8Array[]): Promise<readonly (TransactionState | null)[]>
  /** Its present state at once, then each change, until it is final. Ends at once (empty) for an unknown id. */
  watch(id: Uint8Array, signal: AbortSignal): AsyncIterable<TransactionState>
  /** Committed cells, in the order of the ids; null where there is none. */
  cells(realm: number, ids: readonly Uint8Array[]): Promise<readonly (CellState | null)[]>
  /** CBOR of a cell proof (protocol/cell-proof.ts): the cell's record, or its absence. Null without such a realm. */
  proof(realm: number, id: Uint8Array): Promise<Uint8Array | null>
  /** Pays from the faucet; development networks only. */
  faucet(address: Uint8Array): Promise<SubmitOutcome>
  /** Supply as last checked: balances + deposits + in flight, which must equal `network.supply`. */
  supplyCheck(): { readonly rootHeight: number; readonly total: bigint; readonly inFlight: bigint }
}

export const Ledger = service<Ledger>('execution.Ledger')

/** Modules that plugins add to the ledger; of one module all versions that the network ever used, or will use. */
export const LedgerModules = extensionPoint<LedgerModule>('execution.LedgerModules', {
  unique: { what: 'ledger module', of: ({ name, version }) => `${name} ${version}` },
})

/** A shard block became durable. */
export const BlockCommitted = topic(
  'execution.block',
  z.object({
    shard: z.string(),
    height: z.int(),
    hash: z.instanceof(Uint8Array),
    txCount: z.int(),
    time: z.int(),
  }),
)

/** A balance grew by a message. */
export const Credited = topic(
  'execution.credited',
  z.object({
    to: z.instanceof(Uint8Array),
    from: z.instanceof(Uint8Array),
    value: z.bigint(),
  }),
)

export interface TransactionRef {
  readonly id: Uint8Array
}
/** GraphQL parents; other plugins may extend these types. */
export const TransactionType = typeRef<TransactionRef>('Transaction')
export const BlockType = typeRef<BlockPlace>('Block')
export const ShardType = typeRef<{ readonly id: string }>('Shard')
export const AccountType = typeRef<{ readonly address: Uint8Array; readonly realm: number }>('Account')
export const CellStateType = typeRef<{ readonly id: Uint8Array; readonly realm: number }>('Cell')
