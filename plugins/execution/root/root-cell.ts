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
  /** @throws CallError INSUFFICIENT_BALANCE unless the call's own cell may spend so much */
  checkSpendable(value: bigint): void
  /** Takes from the call's own cell. */
  spend(value: bigint): void
  /** Does a change wholly: what cuts it short ends the call. */
  change(change: () => void): void
}

/** A cell of the running call's module, beside its own one. */
export class RootCellHandle implements RootCell {
  readonly #call: RunningCall
  readonly #id: Uint8Array
  /** The module's, even if this call removes its value: nobody else can make a cell of this id. */
  readonly #isOurs: boolean

  /** @throws CallError WRONG_OWNER, TOO_MANY_CELLS */
  constructor(call: RunningCall, place: Uint8Array | Derivation) {
    this.#call = call
    this.#id = place instanceof Uint8Array ? new Uint8Array(place) : cellId(call.module, place.creator, place.salt)
    this.#isOurs = this.#own() !== undefined || !(place instanceof Uint8Array)
  }

  get id(): Uint8Array {
    return new Uint8Array(this.#id)
  }

  get balance(): bigint {
    const cell = this.#find()
    return cell !== undefined && this.#isOurs ? cell.balance : 0n
  }

  read<T>(_type: CellType<T>): T | undefined {
    const cell = this.#own()
    // `write` checked it against the same schema. Of a copy, as decoded bytes are views.
    return cell === undefined ? undefined : (decode(new Uint8Array(cell.value)) as T)
  }

  write<T>(type: CellType<T>, value: T): void {
    const encoded = encodeValue(type, value)
    if (!this.#isOurs) throw notDerived()
    const { module, depositPerByte } = this.#call
    this.#change((cell) => replaceValue(cell, encoded, depositPerByte, module))
  }

  remove(): void {
    if (this.#own() !== undefined) this.#change((cell) => clearValue(cell, this.#call.depositPerByte))
  }

  give(value: bigint): void {
    this.#call.checkOpen()
    this.#call.checkSpendable(value)
    if (!this.#isOurs) throw notDerived()
    this.#change((cell) => {
      this.#call.spend(value)
      cell.balance += value
    })
  }

  take(value: bigint): void {
    const has = this.balance
    if (typeof value !== 'bigint') throw new TypeError('a value is a bigint, in the smallest unit')
    if (value < 0n || value > has) throw new CallError('INSUFFICIENT_BALANCE', `the cell has ${has}, not ${value}`)
    if (value === 0n) return
    this.#change((cell) => {
      this.#call.spend(-value)
      cell.balance -= value
    })
  }

  /** The cell, if the module has it. */
  #own(): LedgerCell | undefined {
    const cell = this.#find()
    return cell === undefined || isNeverUsed(cell) ? undefined : cell
  }

  #find(): LedgerCell | undefined {
    this.#call.checkOpen()
    const cell = this.#call.scope.find(this.#id)
    if (cell !== undefined && !isNeverUsed(cell) && cell.owner !== this.#call.module)
      throw new CallError('WRONG_OWNER', `the cell belongs to "${cell.owner}", not to "${this.#call.module}"`)
    return cell
  }

  #change(change: (cell: LedgerCell) => void): void {
    this.#find()
    this.#call.change(() => change(this.#call.scope.change(this.#id)))
  }
}

const notDerived = (): CallError =>
  new CallError('NOT_DERIVED', 'a cell that is not there yet is made by its derivation, not by its id')
