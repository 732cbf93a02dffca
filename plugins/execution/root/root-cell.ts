import { cellId, decode } from '../../../protocol/index.ts'
import { CallError } from '../ledger/errors.ts'
import type { CellType, Derivation } from '../ledger/module.ts'
import type { RootCell } from '../ledger/root-context.ts'
import { clearValue, encodeValue, replaceValue } from '../state/cell-value.ts'
import { isNeverUsed, type LedgerCell } from '../state/ledger-cell.ts'
import type { RootScope } from './root-scope.ts'

/** The running call that a handle belongs to. */
export interface RunningCall {
  readonly scope: RootScope
  readonly module: string
  readonly depositPerByte: bigint
  /** @throws TypeError once the call is over */
  checkOpen(): void
  /** What the call's own cell may spend. */
  available(): bigint
  /** Takes from the call's own cell. */
  spend(value: bigint): void
}

/** A cell of the running call's module, beside its own one. */
export class RootCellHandle implements RootCell {
  readonly id: Uint8Array
  readonly #call: RunningCall
  readonly #isDerived: boolean

  /** @throws CallError WRONG_OWNER, TOO_MANY_CELLS */
  constructor(call: RunningCall, place: Uint8Array | Derivation) {
    this.#call = call
    this.#isDerived = !(place instanceof Uint8Array)
    this.id = place instanceof Uint8Array ? place.slice() : cellId(call.module, place.creator, place.salt)
    this.#find()
  }

  get balance(): bigint {
    return this.#own()?.balance ?? 0n
  }

  read<T>(_type: CellType<T>): T | undefined {
    const cell = this.#own()
    // `write` checked it against the same schema.
    return cell === undefined ? undefined : (decode(cell.value) as T)
  }

  write<T>(type: CellType<T>, value: T): void {
    const encoded = encodeValue(type, value)
    const isNew = this.#own() === undefined
    if (isNew && !this.#isDerived)
      throw new CallError('NOT_DERIVED', 'a cell that is not there yet is made by its derivation, not by its id')
    const cell = this.#change()
    if (isNew) cell.owner = this.#call.module
    replaceValue(cell, encoded, this.#call.depositPerByte)
  }

  remove(): void {
    if (this.#own() !== undefined) clearValue(this.#change(), this.#call.depositPerByte)
  }

  give(value: bigint): void {
    const has = this.#call.available()
    if (value < 0n || value > has) throw new CallError('INSUFFICIENT_BALANCE', `the call has ${has}, not ${value}`)
    if (!this.#isDerived && this.#own() === undefined)
      throw new CallError('NOT_DERIVED', 'a cell that is not there yet is made by its derivation, not by its id')
    const cell = this.#change()
    this.#call.spend(value)
    cell.balance += value
  }

  take(value: bigint): void {
    const has = this.balance
    if (value < 0n || value > has) throw new CallError('INSUFFICIENT_BALANCE', `the cell has ${has}, not ${value}`)
    if (value === 0n) return
    this.#change().balance -= value
    this.#call.spend(-value)
  }

  /** The cell, if the module has it. */
  #own(): LedgerCell | undefined {
    const cell = this.#find()
    return cell === undefined || isNeverUsed(cell) ? undefined : cell
  }

  #find(): LedgerCell | undefined {
    this.#call.checkOpen()
    const cell = this.#call.scope.find(this.id)
    if (cell !== undefined && !isNeverUsed(cell) && cell.owner !== this.#call.module)
      throw new CallError('WRONG_OWNER', `the cell belongs to "${cell.owner}", not to "${this.#call.module}"`)
    return cell
  }

  #change(): LedgerCell {
    this.#find()
    return this.#call.scope.change(this.id)
  }
}
