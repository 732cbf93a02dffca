import type { CellState, Simulation, TransactionStatus } from '../api.ts'
import type { BatchAdmission, PooledBatch, TransactionBatch } from './batch.ts'
import type { Handover } from './handover.ts'
import type { RootDelivery } from './inbox.ts'
import type { Totals } from './made-block.ts'
import type { OutIndex } from './out-index.ts'
import type { Running } from './running.ts'

/** What a shard is told. Everything can be cloned between threads and written to a socket. */
export type ShardRequest =
  | { readonly type: 'submit'; readonly batch: TransactionBatch }
  | { readonly type: 'root'; readonly delivery: RootDelivery }
  /** What waited in the pool of the shard that this one was split off from. */
  | { readonly type: 'adopt'; readonly pool: PooledBatch }
  | { readonly type: 'ask'; readonly id: number; readonly question: ShardQuestion }
  | { readonly type: 'stop' }

/** What a shard answers by value. */
export type ShardQuestion =
  | { readonly kind: 'cells'; readonly ids: readonly Uint8Array[] }
  /** CBOR of a cell proof (protocol/cell-proof.ts) against the newest durable header. */
  | { readonly kind: 'proof'; readonly id: Uint8Array }
  | { readonly kind: 'pending'; readonly ids: readonly Uint8Array[] }
  | { readonly kind: 'simulate'; readonly transaction: Uint8Array }
  | { readonly kind: 'simulate-messages'; readonly messages: readonly Uint8Array[] }

/** Answers, by the kind of question. */
export interface ShardAnswers {
  /** null where there is no cell. */
  readonly cells: readonly (CellState | null)[]
  readonly proof: Uint8Array
  /** The wire bytes of transactions that wait here; null for the others. */
  readonly pending: readonly (Uint8Array | null)[]
  readonly simulate: SimulatedHere
  readonly 'simulate-messages': SimulatedMessages
}

/** A simulation as far as one shard goes; `outgoing` are the encoded messages that it would send on. */
export type SimulatedHere =
  | {
      readonly kind: 'done'
      readonly simulation: Extract<Simulation, { kind: 'done' }>
      readonly outgoing: readonly Uint8Array[]
    }
  | Extract<Simulation, { kind: 'refused' }>

/** What messages would do in the shard that they go to. */
export interface SimulatedMessages {
  readonly outcomes: readonly {
    readonly action: number
    readonly isAction: boolean
    readonly refused: { readonly code: string; readonly message: string } | null
    readonly events: readonly { readonly topic: string; readonly payload: unknown }[]
  }[]
  readonly outgoing: readonly Uint8Array[]
}

/** What a shard says by itself. */
export type ShardReport =
  | { readonly type: 'ready'; readonly tip: BlockReport }
  | { readonly type: 'admitted'; readonly admission: BatchAdmission }
  /** The whole batch could not be looked at; nothing of it was taken. */
  | { readonly type: 'batch-failed'; readonly batch: number; readonly code: string; readonly message: string }
  | { readonly type: 'block'; readonly block: BlockReport }
  | { readonly type: 'dropped'; readonly drop: DropReport }
  /** It has its last block and its children their first ones. Null: that was so before this run; nothing is in memory. */
  | { readonly type: 'split'; readonly handover: readonly [Handover, Handover] | null }
  /** What was to be adopted is in its pool. */
  | { readonly type: 'adopted' }
  | {
      readonly type: 'state'
      readonly status: 'RUNNING' | 'STALLED'
      readonly load: number
      readonly mempool: { size: number; bytes: number }
    }
  | { readonly type: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly type: 'failed-answer'; readonly id: number; readonly code: string; readonly message: string }
  /** A transaction that cannot be run to its end left the mempool; `message` names its call and says why. */
  | { readonly type: 'evicted'; readonly id: Uint8Array; readonly message: string }
  | { readonly type: 'warning'; readonly message: string; readonly fields: Readonly<Record<string, unknown>> }
  /** `running`: what it ran, if that is what ended it. */
  | { readonly type: 'fatal'; readonly code: string; readonly message: string; readonly running?: Running }
  /** It does not run: a message that cannot be run to its end stopped it, now or before. */
  | { readonly type: 'halted'; readonly reason: string }
  | { readonly type: 'stopped' }

/** Transactions that left the mempool without a block. */
export interface DropReport {
  readonly status: TransactionStatus
  /** 32 bytes each. */
  readonly ids: Uint8Array
  /** Submitters who wait: batch and index in it, alternating. */
  readonly waiters: Uint32Array
}

/** How far a transaction got with its first block: done, or with messages on their way to other shards. */
export const WAITER_STATUS = ['INCLUDED', 'EXECUTED', 'FAILED'] as const satisfies readonly TransactionStatus[]

/** A durable block, as the node needs it to route messages and to tell waiting clients. */
export interface BlockReport {
  readonly shard: string
  readonly height: number
  readonly header: Uint8Array
  readonly hash: Uint8Array
  /** Length of its body. */
  readonly bodyBytes: number
  readonly rootCursor: number
  readonly stateRoot: Uint8Array
  readonly totals: Totals
  /** The out items, in order, one after the other. */
  readonly outgoing: Uint8Array
  readonly outIndex: OutIndex
  /** Ids of its transactions, 32 bytes each. */
  readonly included: Uint8Array
  /** Ids of transactions of other blocks for which it did something. */
  readonly outcomes: Uint8Array
  /** For submitters who wait: batch, index in it and a WAITER_STATUS, one after the other. */
  readonly waiters: Uint32Array
  /** Calls that broke instead of refusing, and how often. */
  readonly faults: ReadonlyMap<string, number>
}
