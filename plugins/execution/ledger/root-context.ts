import type { RootView } from '../root/root-view.ts'
import type { AnyCall, Call, CallContext, CallDefinition, CellType, Derivation } from './module.ts'

/** What the network fixed at genesis for its root chain. */
export interface RootRules {
  /** ed25519 keys of the validators, 32 bytes each. */
  readonly validators: readonly Uint8Array[]
  /** What a realm's creator leaves with the root chain for each shard that it begins with, in the smallest unit. */
  readonly realmBond: bigint
  /** Shards that may live at a time, all realms together. */
  readonly maxShards: number
}

/** A cell of the root chain, as a root call of its module sees it. */
export interface RootCell {
  readonly id: Uint8Array
  /** What it has, less its deposit; 0 if it is not the module's. */
  readonly balance: bigint
  /** Its value; undefined if the module has not written it. */
  read<T>(type: CellType<T>): T | undefined
  /**
   * Replaces its value; its size is paid for by a deposit out of its balance, so a new one must be given some first.
   * @throws CallError NOT_DERIVED, DEPOSIT_REQUIRED, VALUE_TOO_LARGE
   */
  write<T>(type: CellType<T>, value: T): void
  /** Clears its value and returns the deposit to its balance, which is to be taken out then. */
  remove(): void
  /** Moves coins from the call's own cell to this one. @throws CallError INSUFFICIENT_BALANCE */
  give(value: bigint): void
  /** Moves coins from this cell to the call's own. @throws CallError INSUFFICIENT_BALANCE, WRONG_OWNER */
  take(value: bigint): void
}

/** What a call of the root chain sees beside what every call sees. */
export interface RootContext extends CallContext {
  /**
   * A cell of this module on the root chain, by its id; by its derivation if it may have to be made. A call reaches
   * 4,096 of them at most.
   * @throws CallError WRONG_OWNER if it belongs to another module, TOO_MANY_CELLS
   */
  at(place: Uint8Array | Derivation): RootCell
  /**
   * Sets what shards read by `ctx.root(key)`, from the next root block that they take in; null removes it. Keys begin
   * with the module's name and a slash.
   * @throws CallError EXPORT_REFUSED for another module's key, or if there is no room
   */
  export(key: string, value: unknown): void
  /** What the root chain exports now, with what this block changed so far. */
  readonly exported: RootView
  readonly rules: RootRules
}

/** What `rootCall` takes. */
export interface RootCallDefinition<A> extends Omit<CallDefinition<A>, 'apply'> {
  apply(ctx: RootContext, args: A): void
}

/** Defines a call of a module whose home is the root chain. */
export const rootCall = <A>(definition: RootCallDefinition<A>): Call<A> & AnyCall =>
  Object.freeze({
    ...definition,
    sends: definition.sends ?? {},
    apply: (ctx: CallContext, args: A): void => definition.apply(rootContext(ctx), args),
  })

/** The context of a call, where it runs on the root chain. */
function rootContext(ctx: CallContext): RootContext {
  if (ctx.shard === 'root' && 'export' in ctx && 'at' in ctx) return ctx as RootContext
  throw new TypeError('this call runs on the root chain only: its module has home "root"')
}
