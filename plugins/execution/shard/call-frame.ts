import {
  type CborMap,
  cellId,
  decode,
  encode,
  equal,
  MAX_CELL_VALUE,
  type Message,
  Writer,
} from '../../../protocol/index.ts'
import type { Topic } from '../../../server/plugin.ts'
import type { AccountContext } from '../ledger/account-context.ts'
import { CallError } from '../ledger/errors.ts'
import type { CellType, Send } from '../ledger/module.ts'
import type { RegisteredCall } from '../ledger/registry.ts'
import { MAX_EVENTS_PER_CALL } from '../ledger/rules.ts'
import type { RootView } from '../root/root-view.ts'
import { ACCOUNT, depositBytes, isNeverUsed, type LedgerCell } from '../state/ledger-cell.ts'
import type { SessionKey } from '../state/session-key.ts'

/** What stays the same for all calls of a block. */
export interface BlockContext {
  readonly shard: string
  readonly realm: number
  readonly height: number
  readonly time: number
  readonly random: Uint8Array
  /** What the root chain exports, as of the block's root cursor. */
  readonly root: RootView
  /** Deposit for one byte of a cell's value, in the smallest unit. */
  readonly depositPerByte: bigint
}

const NULL_VALUE = Uint8Array.of(0xf6)
const NO_ARGS: CborMap = {}

/** The context of one running call. One frame serves all calls of a block, one after the other. */
export class CallFrame implements AccountContext {
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
    return this
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
    const encoded = encode(type.schema.parse(value) as never)
    if (encoded.length > MAX_CELL_VALUE) {
      throw new CallError('VALUE_TOO_LARGE', `a cell holds at most ${MAX_CELL_VALUE} bytes, not ${encoded.length}`)
    }
    if (isNeverUsed(this.#cell)) this.#takeOver()
    this.#replace(encoded)
  }

  remove(): void {
    this.#checkOpen()
    if (isNeverUsed(this.#cell)) return
    this.#replace(NULL_VALUE)
    this.#cell.owner = ACCOUNT
    this.#cell.balance += this.#deposit(this.#cell.depositBytes)
    this.#cell.depositBytes = 0
  }

  get sessionKeys(): readonly SessionKey[] {
    this.#checkAccount()
    return this.#cell.account.keys
  }

  setSessionKeys(keys: readonly SessionKey[]): void {
    this.#checkAccount()
    const cell = this.#cell
    const account = { ...cell.account, keys }
    this.#holdDeposit(depositBytes(cell.owner, cell.value, account))
    cell.account = account
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
    if (value < 0n || value > this.balance) {
      throw new CallError('INSUFFICIENT_BALANCE', `the call has ${this.balance}, less than the ${value} to send`)
    }
    this.#cell.balance -= value
    this.#sentValue += value
    const { origin, action, payer, payerRealm } = this.#message
    this.sent.push({
      kind: 'call',
      origin,
      action,
      from: this.#cell.id,
      fromRealm: this.#block.realm,
      module: this.#registered?.module.name ?? this.#cell.owner,
      to: send.to,
      realm: send.realm ?? this.#block.realm,
      call: send.call,
      args: (send.args as CborMap | undefined) ?? NO_ARGS,
      value,
      payer,
      payerRealm,
      code: '',
    })
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

  #replace(encoded: Uint8Array): void {
    const cell = this.#cell
    this.#holdDeposit(depositBytes(cell.owner, encoded, cell.account))
    cell.value = encoded
  }

  #holdDeposit(bytes: number): void {
    const cell = this.#cell
    const more = this.#deposit(bytes - cell.depositBytes)
    if (more > cell.balance) {
      throw new CallError(
        'DEPOSIT_REQUIRED',
        `the cell's new size needs a deposit of ${more} more, it has ${cell.balance}`,
      )
    }
    cell.balance -= more
    cell.depositBytes = bytes
  }

  #checkAccount(): void {
    this.#checkOpen()
    if (this.#registered?.module.name !== ACCOUNT || this.#cell.owner !== ACCOUNT)
      throw new TypeError('only calls of the module "account" reach an account’s keys')
  }

  #deposit(bytes: number): bigint {
    return this.#block.depositPerByte * BigInt(bytes)
  }
}
