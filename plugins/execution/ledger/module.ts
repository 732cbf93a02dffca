import type { z } from 'zod'
import type { Topic } from '../../../server/plugin.ts'

/** A cell type: the shape of the value that a module keeps in its cells. */
export interface CellType<T> {
  readonly kind: 'cell-type'
  readonly id: string
  readonly schema: z.ZodType<T>
}

/** Names the shape of a module's cell value, checked by the schema when it is written. */
export const cellType = <T>(id: string, schema: z.ZodType<T>): CellType<T> =>
  Object.freeze({ kind: 'cell-type', id, schema })

/** A message that a call sends; it runs against the cell `to`, in this block if that is in the same shard. */
export interface Send {
  readonly to: Uint8Array
  /** `<module>.<call>`; it must be declared in the call's `sends`. */
  readonly call: string
  /** The realm of `to`; this cell's own if absent. */
  readonly realm?: number
  readonly args?: Readonly<Record<string, unknown>>
  /** Taken from this cell's balance, in the smallest unit. */
  readonly value?: bigint
}

/** What a call sees. It reads and changes one cell, its own, and reaches others by messages only. */
export interface CallContext {
  /** The cell's id, 32 bytes. */
  readonly cell: Uint8Array
  /** The cell that sent the message: the account itself for a transaction's action. */
  readonly sender: Uint8Array
  /** The realm of `sender`. */
  readonly senderRealm: number
  /** The module that sent the message. */
  readonly senderModule: string
  /** The account that signed the transaction behind the message. */
  readonly payer: Uint8Array
  /** The realm of `payer`. */
  readonly payerRealm: number
  /** What the message carries, in the smallest unit; already in the cell's balance. */
  readonly value: bigint
  /** What the call may send: the cell's balance, less its deposit; while no module owns the cell, only `value`. */
  readonly balance: bigint
  /** The block's height in this shard, and its time in milliseconds since 1970: not before that of the sending call. */
  readonly height: number
  readonly time: number
  /** The shard's id, like `0:1`. */
  readonly shard: string
  /** 32 bytes from the root chain, the same for a whole root block. The local orderer can predict them. */
  readonly random: Uint8Array
  /** What the root chain exports under a key, as of the block's root cursor; undefined if nothing. */
  root(key: string): unknown
  /** The cell's value; undefined if the module has not written it. */
  read<T>(type: CellType<T>): T | undefined
  /** Replaces the cell's value; its size is paid for by a deposit out of the balance. */
  write<T>(type: CellType<T>, value: T): void
  /** Clears the cell's value and returns its deposit to the balance. */
  remove(): void
  /** Emits an event with the block, if the call is not refused. */
  emit<P>(topic: Topic<P>, payload: P): void
  send(message: Send): void
}

/** Where a cell that does not exist yet may be made: `cellId(module, creator, salt)`. */
export interface Derivation {
  readonly creator: Uint8Array
  readonly salt: Uint8Array
}

/** One call of a module. */
export interface Call<A = unknown> {
  readonly args: z.ZodType<A>
  /** Its cost in weight; constant (a function without parameters) if other calls may send it. */
  weight(args: A): bigint
  /** How many messages of each call one run may send at most. */
  readonly sends: Readonly<Record<string, number>>
  /** The id that a new cell must have. By default the sender's cell with an empty salt. */
  readonly creates?: ((args: A, sender: Uint8Array) => Derivation) | undefined
  apply(ctx: CallContext, args: A): void
}

/** A call whose arguments' type is not known any more; they have to pass `args` first. */
export interface AnyCall {
  readonly args: z.ZodType
  weight(args: never): bigint
  readonly sends: Readonly<Record<string, number>>
  readonly creates?: ((args: never, sender: Uint8Array) => Derivation) | undefined
  apply(ctx: CallContext, args: never): void
}

/** What `call` takes. */
export interface CallDefinition<A> extends Omit<Call<A>, 'sends'> {
  readonly sends?: Readonly<Record<string, number>>
}

/** Defines one call, with the type of its arguments taken from their schema. */
export const call = <A>(definition: CallDefinition<A>): Call<A> =>
  Object.freeze({ ...definition, sends: definition.sends ?? {} })

/** What modules are called. */
export const MODULE_NAME = /^[a-z][A-Za-z0-9_]{0,63}$/

/** What `ledgerModule` takes. */
export interface LedgerModuleDefinition {
  /** The module's file, `import.meta.url`: shard workers import it from there. */
  readonly url: string
  /** The ledger version, a whole number from 1: it grows when the same call would give another result. */
  readonly version: number
  /** Whether its cells live in shards or on the root chain. */
  readonly home: 'shard' | 'root'
  readonly calls: Readonly<Record<string, AnyCall>>
  /** Told when a message that one of its cells sent was refused; the value is already back. */
  onBounce?(ctx: CallContext, bounced: { call: string; args: Readonly<Record<string, unknown>>; code: string }): void
}

/** A module: deterministic calls on the cells that it owns. */
export interface LedgerModule extends LedgerModuleDefinition {
  readonly kind: 'ledger-module'
  readonly name: string
}

/**
 * Defines a ledger module. Its calls run inside shard workers: synchronous, deterministic, without clock or I/O.
 *
 *     export const counter = ledgerModule('counter', { url: import.meta.url, version: 1, home: 'shard', calls: { add } })
 */
export const ledgerModule = (name: string, definition: LedgerModuleDefinition): LedgerModule =>
  Object.freeze({ ...definition, kind: 'ledger-module', name })

export const isLedgerModule = (value: unknown): value is LedgerModule =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'ledger-module'
