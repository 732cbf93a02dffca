import { type CborMap, cellId, decode, equal, type Message, ROOT_REALM } from '../../../protocol/index.ts'
import type { Topic } from '../../../server/plugin.ts'
import type { AccountContext } from '../ledger/account-context.ts'
import { CallError } from '../ledger/errors.ts'
import type { CellType, Derivation, Send } from '../ledger/module.ts'
import type { CallRegistry, RegisteredCall } from '../ledger/registry.ts'
import type { RootCell, RootContext, RootRules } from '../ledger/root-context.ts'
import { isSystemModule } from '../root/exports.ts'
import { RootCellHandle } from '../root/root-cell.ts'
import type { RootScope } from '../root/root-scope.ts'
import type { RootView } from '../root/root-view.ts'
import { clearValue, encodeValue, holdDeposit, replaceValue } from '../state/cell-value.ts'
import { ACCOUNT, depositBytes, isNeverUsed, type LedgerCell } from '../state/ledger-cell.ts'
import type { SessionKey } from '../state/session-key.ts'
import type { CallOutput } from './call-output.ts'
import { cellIdOf, ownArgs } from './sent-parts.ts'

/** What stays the same for all calls of a block. */
export interface BlockContext {
  readonly shard: string
  readonly realm: number
  readonly height: number
  readonly time: number
  readonly random: Uint8Array
  /** What the root chain exports, as of the block's root cursor; while a root block is made, as it is by now. */
  readonly root: RootView
  /** What root calls reach beside their cell; undefined in shards. */
  readonly scope?: RootScope
  /** Deposit for one byte of a cell's value, in the smallest unit. */
  readonly depositPerByte: bigint
}

const NO_ARGS: CborMap = Object.freeze({})

/** What a call runs for. */
export interface CallRun {
  readonly message: Message
  readonly cell: LedgerCell
  /** undefined while a bounce is handled. */
  readonly registered: RegisteredCall | undefined
  readonly args: unknown
  /** The calls that the block knows. */
  readonly registry: Pick<CallRegistry, 'get'>
}

/**
 * The context of one call. What it gives to the module is the module's own: a copy, or a value that cannot change. What
 * the module gives to it is read once and checked: a proxy or a getter may say something else the second time.
 */
export class CallFrame implements AccountContext, RootContext {
  readonly #block: BlockContext
  readonly #output: CallOutput
  readonly #message: Message
  readonly #cell: LedgerCell
  readonly #registered: RegisteredCall | undefined
  readonly #registry: CallRun['registry']
  readonly #args: unknown
  /** No module owns the cell, and what it has may be somebody's who never signed anything yet. */
  #isForeign: boolean
  /** What the call sent so far, in the smallest unit. */
  #sentValue = 0n
  /** Its call runs now. What a module kept of a frame must not reach into another call. */
  #isOpen = true
  /** The cell is being changed: it must not stay like this. */
  #isChanging = false

  constructor(block: BlockContext, output: CallOutput, { message, cell, registered, args, registry }: CallRun) {
    this.#block = block
    this.#output = output
    this.#message = message
    this.#cell = cell
    this.#registered = registered
    this.#registry = registry
    this.#args = args
    this.#isForeign = registered !== undefined && registered.module.name !== ACCOUNT && isNeverUsed(cell)
    output.begin()
    block.scope?.begin()
  }

  /** The call was refused: what it did beside its own cell is undone. */
  undo(): void {
    this.#block.scope?.undo()
  }

  /** The call is over: nothing is read or changed through this frame any more. */
  leave(): void {
    this.#isOpen = false
  }

  /** Bytes of the ledger's, for the module to keep: a copy, but for the module that is part of the ledger itself. */
  #given(bytes: Uint8Array): Uint8Array {
    return this.#registered?.module.name === ACCOUNT ? bytes : new Uint8Array(bytes)
  }

  /** A change was cut short, by the end of the stack say, and the call went on all the same. */
  get isTorn(): boolean {
    return this.#isChanging
  }

  get height(): number {
    return this.#block.height
  }

  get time(): number {
    return this.#block.time
  }

  get shard(): string {
    return this.#block.shard
  }

  get random(): Uint8Array {
    return new Uint8Array(this.#block.random)
  }

  get cell(): Uint8Array {
    return this.#given(this.#cell.id)
  }

  get sender(): Uint8Array {
    return this.#given(this.#message.from)
  }

  get senderRealm(): number {
    return this.#message.fromRealm
  }

  get senderModule(): string {
    return this.#message.module
  }

  get payer(): Uint8Array {
    return this.#given(this.#message.payer)
  }

  get payerRealm(): number {
    return this.#message.payerRealm
  }

  get value(): bigint {
    return this.#message.value
  }

  get balance(): bigint {
    const { balance } = this.#cell
    if (!this.#isForeign) return balance
    // What a root call takes out of its own cell by a handle is there once.
    const left = this.#message.value - this.#sentValue
    return left < balance ? left : balance
  }

  root(key: string): unknown {
    this.#checkOpen()
    // Of a copy: all calls of the block see the same bytes.
    const value = this.#block.root.bytes(key)
    return value === undefined ? undefined : decode(new Uint8Array(value))
  }

  read<T>(_type: CellType<T>): T | undefined {
    this.#checkOpen()
    if (isNeverUsed(this.#cell)) return undefined
    // `write` checked it against the same schema. Of a copy, as decoded bytes are views.
    return decode(new Uint8Array(this.#cell.value)) as T
  }

  write<T>(type: CellType<T>, value: T): void {
    this.#checkOpen()
    const encoded = encodeValue(type, value)
    const cell = this.#cell
    const owner = isNeverUsed(cell) ? this.#derivedOwner() : cell.owner
    this.#change(() => {
      replaceValue(cell, encoded, this.#block.depositPerByte, owner)
      this.#isForeign = false
    })
  }

  remove(): void {
    this.#checkOpen()
    this.#change(() => clearValue(this.#cell, this.#block.depositPerByte))
  }

  get sessionKeys(): readonly SessionKey[] {
    this.#checkAccount()
    return this.#cell.account.keys
  }

  setSessionKeys(keys: readonly SessionKey[]): void {
    this.#checkAccount()
    const cell = this.#cell
    const account = { ...cell.account, keys }
    this.#change(() => {
      holdDeposit(cell, depositBytes(cell.owner, cell.value, account), this.#block.depositPerByte)
      cell.account = account
    })
  }

  at(place: Uint8Array | Derivation): RootCell {
    this.#checkOpen()
    const call = {
      scope: this.#scope,
      module: this.#module,
      depositPerByte: this.#block.depositPerByte,
      checkOpen: () => this.#checkOpen(),
      checkSpendable: (value: bigint) => this.#checkSpendable(value),
      spend: (value: bigint) => this.#spend(value),
      change: (change: () => void) => this.#change(change),
    }
    return new RootCellHandle(call, place)
  }

  export(key: string, value: unknown): void {
    this.#checkOpen()
    if (typeof key !== 'string') throw new TypeError('the key of an export is a text')
    this.#scope.export(this.#module, key, value)
  }

  get exported(): RootView {
    this.#checkOpen()
    // It is the ledger's own, not a copy.
    if (!isSystemModule(this.#module)) throw new TypeError('only the root chain’s own modules see all exports at once')
    return this.#scope.exported
  }

  get rules(): RootRules {
    const { validators, ...rules } = this.#scope.rules
    return { ...rules, validators: validators.map((key) => new Uint8Array(key)) }
  }

  emit<P>(topic: Topic<P>, payload: P): void {
    this.#checkOpen()
    this.#output.emit(topic.id, payload, this.#message)
  }

  send(send: Send): void {
    this.#checkOpen()
    const { call, to, value = 0n, realm = this.#block.realm, args } = send
    if (typeof call !== 'string') throw new TypeError('a message names its call')
    const sends = this.#registered?.call.sends ?? {}
    const allowed = Object.hasOwn(sends, call) ? (sends[call] ?? 0) : 0
    const { sent } = this.#output
    let already = 0
    for (const message of sent) if (message.call === call) already++
    if (already >= allowed) {
      throw new CallError('UNDECLARED_SEND', `"${call}" may be sent ${allowed} times by this call: declare it in sends`)
    }
    const isToRoot = realm === ROOT_REALM
    if (!isToRoot && !this.#block.root.realms.has(realm))
      throw new CallError('UNKNOWN_REALM', `there is no realm ${realm}: what is sent there would never arrive`)
    // Nothing but what weighs enough may go to the root chain, not even to be refused there.
    if (this.#registry.get(call, isToRoot ? 'root' : 'shard') === undefined)
      throw new CallError('UNKNOWN_CALL', `"${call}" does not run ${isToRoot ? 'on the root chain' : 'in shards'}`)
    this.#checkSpendable(value)
    const { origin, action, payer, payerRealm } = this.#message
    const message: Message = {
      kind: 'call',
      origin,
      action,
      from: this.#cell.id,
      fromRealm: this.#block.realm,
      module: this.#module,
      to: cellIdOf(to),
      realm,
      call,
      args: args === undefined ? NO_ARGS : ownArgs(args),
      value,
      payer,
      payerRealm,
      code: '',
    }
    this.#change(() => {
      this.#spend(value)
      sent.push(message)
    })
  }

  get #module(): string {
    return this.#registered?.module.name ?? this.#cell.owner
  }

  get #scope(): RootScope {
    if (this.#block.scope !== undefined) return this.#block.scope
    throw new TypeError('only calls of the root chain reach other cells and exports')
  }

  #spend(value: bigint): void {
    this.#cell.balance -= value
    this.#sentValue += value
  }

  #checkSpendable(value: unknown): void {
    if (typeof value !== 'bigint') throw new TypeError('a value is a bigint, in the smallest unit')
    if (value < 0n || value > this.balance) {
      throw new CallError('INSUFFICIENT_BALANCE', `the call has ${this.balance}, less than ${value}`)
    }
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw new TypeError('this context belongs to a call that is over')
  }

  /** Does a change wholly. A refusal comes before it changes anything; whatever else ends it leaves it torn. */
  #change(change: () => void): void {
    this.#isChanging = true
    try {
      change()
    } catch (error) {
      if (error instanceof CallError) this.#isChanging = false
      throw error
    }
    this.#isChanging = false
  }

  /** A module may only make cells whose id it derives; an account's key can never be one of them. */
  #derivedOwner(): string {
    const registered = this.#registered
    if (registered === undefined) throw new CallError('NOT_DERIVED', 'onBounce cannot make a cell')
    const module = registered.module.name
    const { creator, salt } = registered.call.creates?.(this.#args as never, this.sender) ?? {
      creator: this.sender,
      salt: new Uint8Array(0),
    }
    if (equal(cellId(module, creator, salt), this.#cell.id)) return module
    throw new CallError('NOT_DERIVED', `a new cell of "${module}" must have the id that its creator and salt give`)
  }

  #checkAccount(): void {
    this.#checkOpen()
    if (this.#registered?.module.name !== ACCOUNT || this.#cell.owner !== ACCOUNT)
      throw new TypeError('only calls of the module "account" reach an account’s keys')
  }
}
