import { type CborMap, cellId, decode, equal, type Message, ROOT_REALM, Writer } from '../../../protocol/index.ts'
import type { Topic } from '../../../server/plugin.ts'
import type { AccountContext } from '../ledger/account-context.ts'
import { CallError } from '../ledger/errors.ts'
import type { CellType, Derivation, Send } from '../ledger/module.ts'
import type { RegisteredCall } from '../ledger/registry.ts'
import type { RootCell, RootContext, RootRules } from '../ledger/root-context.ts'
import { MAX_EVENTS_PER_CALL } from '../ledger/rules.ts'
import { RootCellHandle } from '../root/root-cell.ts'
import type { RootScope } from '../root/root-scope.ts'
import type { RootView } from '../root/root-view.ts'
import { clearValue, encodeValue, holdDeposit, replaceValue } from '../state/cell-value.ts'
import { ACCOUNT, depositBytes, isNeverUsed, type LedgerCell } from '../state/ledger-cell.ts'
import type { SessionKey } from '../state/session-key.ts'

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

const NO_ARGS: CborMap = {}

/** The context of one running call. One frame serves all calls of a block, one after the other. */
export class CallFrame implements AccountContext, RootContext {
  readonly height: number
  readonly time: number
  readonly shard: string
  readonly random: Uint8Array
  /** Messages that the call sent so far; dropped if it is refused. */
  readonly sent: Message[] = []
  /** CBOR of `[topic, payload, origin, action]` items that it emitted. */
  readonly events = new Writer(1024)
  eventCount = 0
  /** Topics that any call of the block emitted. */
  readonly topics = new Set<string>()
  readonly #block: BlockContext
  // Set by `enter` before anything can see the frame.
  #message!: Message
  #cell!: LedgerCell
  #registered: RegisteredCall | undefined
  #args: unknown
  /** No module owns the cell, and what it has may be somebody's who never signed anything yet. */
  #isForeign = false
  /** What the call sent so far, in the smallest unit. */
  #sentValue = 0n
  /** Its call runs now. What a module kept of a frame must not reach into another call. */
  #isOpen = false

  constructor(block: BlockContext) {
    this.#block = block
    this.height = block.height
    this.time = block.time
    this.shard = block.shard
    this.random = block.random
  }

  /** Prepares the frame for a message to a cell. `registered` is undefined while a bounce is handled. */
  enter(message: Message, cell: LedgerCell, registered: RegisteredCall | undefined, args: unknown): this {
    this.#message = message
    this.#cell = cell
    this.#registered = registered
    this.#args = args
    this.#isForeign = registered !== undefined && registered.module.name !== ACCOUNT && isNeverUsed(cell)
    this.#sentValue = 0n
    this.#isOpen = true
    this.sent.length = 0
    this.events.reset()
    this.eventCount = 0
    this.#block.scope?.begin()
    return this
  }

  /** The call was refused: what it did beside its own cell is undone. */
  undo(): void {
    this.#block.scope?.undo()
  }

  /** The call is over: nothing is read or changed through this frame until the next one enters it. */
  leave(): void {
    this.#isOpen = false
  }

  get cell(): Uint8Array {
    return this.#cell.id
  }

  get sender(): Uint8Array {
    return this.#message.from
  }

  get senderRealm(): number {
    return this.#message.fromRealm
  }

  get senderModule(): string {
    return this.#message.module
  }

  get payer(): Uint8Array {
    return this.#message.payer
  }

  get payerRealm(): number {
    return this.#message.payerRealm
  }

  get value(): bigint {
    return this.#message.value
  }

  get balance(): bigint {
    return this.#isForeign ? this.#message.value - this.#sentValue : this.#cell.balance
  }

  root(key: string): unknown {
    this.#checkOpen()
    return this.#block.root.get(key)
  }

  read<T>(_type: CellType<T>): T | undefined {
    this.#checkOpen()
    if (isNeverUsed(this.#cell)) return undefined
    // `write` checked it against the same schema.
    return decode(this.#cell.value) as T
  }

  write<T>(type: CellType<T>, value: T): void {
    this.#checkOpen()
    const encoded = encodeValue(type, value)
    if (isNeverUsed(this.#cell)) this.#takeOver()
    replaceValue(this.#cell, encoded, this.#block.depositPerByte)
  }

  remove(): void {
    this.#checkOpen()
    clearValue(this.#cell, this.#block.depositPerByte)
  }

  get sessionKeys(): readonly SessionKey[] {
    this.#checkAccount()
    return this.#cell.account.keys
  }

  setSessionKeys(keys: readonly SessionKey[]): void {
    this.#checkAccount()
    const cell = this.#cell
    const account = { ...cell.account, keys }
    holdDeposit(cell, depositBytes(cell.owner, cell.value, account), this.#block.depositPerByte)
    cell.account = account
  }

  at(place: Uint8Array | Derivation): RootCell {
    this.#checkOpen()
    const call = {
      scope: this.#scope,
      module: this.#module,
      depositPerByte: this.#block.depositPerByte,
      checkOpen: () => this.#checkOpen(),
      available: () => this.balance,
      spend: (value: bigint) => this.#spend(value),
    }
    return new RootCellHandle(call, place)
  }

  export(key: string, value: unknown): void {
    this.#checkOpen()
    this.#scope.export(this.#module, key, value)
  }

  get exported(): RootView {
    this.#checkOpen()
    return this.#scope.exported
  }

  get rules(): RootRules {
    return this.#scope.rules
  }

  emit<P>(topic: Topic<P>, payload: P): void {
    this.#checkOpen()
    if (this.eventCount >= MAX_EVENTS_PER_CALL) {
      throw new CallError('VALUE_TOO_LARGE', `a call emits at most ${MAX_EVENTS_PER_CALL} events`)
    }
    const { events } = this
    events.arrayHeader(4)
    events.text(topic.id)
    events.value(payload as never)
    events.bytes(this.#message.origin)
    events.uint(this.#message.action)
    this.eventCount++
    this.topics.add(topic.id)
  }

  send(send: Send): void {
    this.#checkOpen()
    const allowed = this.#registered?.call.sends[send.call] ?? 0
    let already = 0
    for (const message of this.sent) if (message.call === send.call) already++
    if (already >= allowed) {
      throw new CallError(
        'UNDECLARED_SEND',
        `"${send.call}" may be sent ${allowed} times by this call: declare it in sends`,
      )
    }
    const value = send.value ?? 0n
    const realm = send.realm ?? this.#block.realm
    if (realm !== ROOT_REALM && !this.#block.root.realms.has(realm))
      throw new CallError('UNKNOWN_REALM', `there is no realm ${realm}: what is sent there would never arrive`)
    if (value < 0n || value > this.balance) {
      throw new CallError('INSUFFICIENT_BALANCE', `the call has ${this.balance}, less than the ${value} to send`)
    }
    this.#spend(value)
    const { origin, action, payer, payerRealm } = this.#message
    this.sent.push({
      kind: 'call',
      origin,
      action,
      from: this.#cell.id,
      fromRealm: this.#block.realm,
      module: this.#module,
      to: send.to,
      realm,
      call: send.call,
      args: (send.args as CborMap | undefined) ?? NO_ARGS,
      value,
      payer,
      payerRealm,
      code: '',
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

  #checkOpen(): void {
    if (!this.#isOpen) throw new TypeError('this context belongs to a call that is over')
  }

  /** A module may only make cells whose id it derives; an account's key can never be one of them. */
  #takeOver(): void {
    const registered = this.#registered
    if (registered === undefined) throw new CallError('NOT_DERIVED', 'onBounce cannot make a cell')
    const module = registered.module.name
    const { creator, salt } = registered.call.creates?.(this.#args as never, this.sender) ?? {
      creator: this.sender,
      salt: new Uint8Array(0),
    }
    if (!equal(cellId(module, creator, salt), this.#cell.id)) {
      throw new CallError('NOT_DERIVED', `a new cell of "${module}" must have the id that its creator and salt give`)
    }
    this.#cell.owner = module
    this.#isForeign = false
  }

  #checkAccount(): void {
    this.#checkOpen()
    if (this.#registered?.module.name !== ACCOUNT || this.#cell.owner !== ACCOUNT)
      throw new TypeError('only calls of the module "account" reach an account’s keys')
  }
}
