import { type ActionError, type Message, type Receipt, ROOT_REALM, STATUS, Writer } from '../../../protocol/index.ts'
import { detached, parseArgs } from '../ledger/call-args.ts'
import type { CallRegistry, Home } from '../ledger/registry.ts'
import { withNonceUsed, withSpent } from '../state/account.ts'
import type { CellStore } from '../state/cell-store.ts'
import { ACCOUNT, depositBytes, idKey, isEmpty, isNeverUsed, type LedgerCell } from '../state/ledger-cell.ts'
import { findSessionKey } from '../state/session-key.ts'
import type { Trie } from '../state/trie.ts'
import type { Charge } from './admission.ts'
import { type BlockContext, CallFrame } from './call-frame.ts'
import { CallOutput } from './call-output.ts'
import { isAction, isPayers } from './message-roles.ts'
import { OutBox } from './out-box.ts'
import { MESSAGE_KIND, type MessageOutcome } from './outcome.ts'
import type { PooledTransaction } from './pool-entry.ts'
import { type CallFailure, runGuarded } from './run-guarded.ts'
import { RunMarks } from './run-marks.ts'
import type { ShardSpace } from './shard-space.ts'

const CREDIT = 'account.credit'
/** Stands for the shard itself as the sender of its fees. */
const NOBODY = new Uint8Array(32)
const NO_ORIGIN = new Uint8Array(0)
const NO_ARGS = {}

/** What one inbound message, with all that it set off here, came to. */
export interface InboundResult {
  /** Messages sent on to other shards, less the one that was done. */
  readonly delta: number
  readonly outcomes: readonly MessageOutcome[]
}

/** A message for this shard, with its cell's key and path. */
interface Queued {
  readonly message: Message
  readonly key: string
  readonly path: Uint8Array
}

/** Where the executor's cells come from. */
export interface ExecutionParts {
  readonly space: ShardSpace
  readonly store: CellStore
  /** Which cells exist, in memory or not. */
  readonly trie: Pick<Trie, 'has'>
  readonly registry: CallRegistry
  readonly context: BlockContext
  /** Where it says what it runs; nobody looks if absent. */
  readonly marks?: RunMarks
  /** It is a simulation: nothing of it is kept. */
  readonly isTrial?: boolean
}

/** Of executions that nobody watches. */
const UNWATCHED = new RunMarks()

/**
 * Runs the messages of one block against the cells in memory: synchronous, deterministic, first in, first out.
 *
 * Cells must be loaded before they are called. Where a call sends to a cell that is not, `pending` names it and the
 * caller loads it and calls `resume`.
 */
export class Execution {
  readonly outBox = new OutBox()
  /** CBOR items `[topic, payload, origin, action]` of all events, one after the other. */
  readonly events = new Writer(16_384)
  eventCount = 0
  /** Calls that broke instead of refusing, by name. */
  readonly faults = new Map<string, number>()
  fees = 0n
  readonly #parts: ExecutionParts
  readonly #output = new CallOutput()
  readonly #marks: RunMarks
  readonly #home: Home
  #queue: Queued[] = []
  #next = 0
  // What the running transaction or inbound message came to so far.
  #statuses: Uint8Array | undefined
  #errors: ActionError[] = []
  #outcomes: MessageOutcome[] = []
  #remote = 0

  constructor(parts: ExecutionParts) {
    this.#parts = parts
    this.#marks = parts.marks ?? UNWATCHED
    this.#home = parts.space.realm === ROOT_REALM ? 'root' : 'shard'
  }

  /** Topics that any call emitted. */
  get topics(): ReadonlySet<string> {
    return this.#output.topics
  }

  /** True if the sender has what the transaction takes. `cost`: fee and all values. */
  affords(sender: LedgerCell, transaction: PooledTransaction, cost: bigint): boolean {
    return sender.balance >= cost + this.#laneDeposit(sender, transaction)
  }

  /**
   * Charges a transaction and queues its actions. The sender's cell must be loaded and afford it.
   */
  begin(sender: LedgerCell, { transaction, fee, cost, session }: Charge): void {
    this.#marks.transaction(this.#parts.isTrial ? 'trial' : 'transaction', transaction.id)
    const cell = this.#parts.store.change(sender)
    const deposit = this.#laneDeposit(cell, transaction)
    const signer = session && findSessionKey(cell.account.keys, session)
    if (signer !== undefined) cell.account = withSpent(cell.account, signer, cost)
    cell.account = withNonceUsed(cell.account, transaction.lane, transaction.nonce)
    cell.depositBytes = depositBytes(ACCOUNT, cell.value, cell.account)
    cell.balance -= cost + deposit
    this.fees += fee
    this.#reset(new Uint8Array(transaction.actions.length))
    const { actions, id, realm } = transaction
    for (let index = 0; index < actions.length; index++) {
      const action = actions[index]!
      this.#route({
        kind: 'call',
        origin: id,
        action: index,
        from: transaction.sender,
        fromRealm: realm,
        module: ACCOUNT,
        to: action.to,
        realm: action.realm,
        call: action.call,
        args: action.args,
        value: action.value,
        payer: transaction.sender,
        payerRealm: realm,
        code: '',
      })
    }
  }

  /** Queues a message from another shard. */
  beginInbound(message: Message): void {
    if (this.#parts.isTrial) this.#marks.transaction('trial', message.origin)
    else this.#marks.message(message)
    this.#reset(undefined)
    const key = idKey(message.to)
    this.#queue.push({ message, key, path: this.#parts.store.pathOf(key, message.to) })
  }

  /**
   * Runs what is queued. Ends at the first message whose cell is not in memory and gives the ids of all queued ones that
   * are not; undefined when everything ran.
   * @throws BadRunError if it cannot be run to its end: nothing of the block must be kept then
   */
  resume(): Uint8Array[] | undefined {
    return this.#marks.run(() => this.#resume())
  }

  #resume(): Uint8Array[] | undefined {
    while (this.#next < this.#queue.length) {
      const queued = this.#queue[this.#next]!
      const cell = this.#parts.store.get(queued.key)
      if (cell === undefined && this.#parts.trie.has(queued.path)) return this.#missing()
      this.#next++
      if (queued.message.kind === 'bounce') this.#deliverBounce(queued, cell)
      else this.#deliverCall(queued, cell)
    }
    return undefined
  }

  /** The receipt of the transaction that ran, and how many messages it sent to other shards. */
  receipt(transaction: PooledTransaction, fee: bigint): { receipt: Receipt; refused: boolean; remote: number } {
    const statuses = this.#statuses ?? new Uint8Array(0)
    const receipt = { id: transaction.id, statuses, fee, errors: this.#errors }
    return { receipt, refused: this.#errors.length > 0, remote: this.#remote }
  }

  /** What the inbound message that ran came to. */
  inboundResult(): InboundResult {
    return { delta: this.#remote - 1, outcomes: this.#outcomes }
  }

  /** Sends the block's fees to the treasury's cell, which must be loaded if it is here. */
  payFees(treasury: { readonly realm: number; readonly id: Uint8Array }): void {
    if (this.fees === 0n) return
    this.#reset(undefined)
    // Whatever happens here is no fault of what ran last.
    this.#marks.forget()
    this.#route({
      kind: 'call',
      origin: NO_ORIGIN,
      action: 0,
      from: NOBODY,
      fromRealm: this.#parts.space.realm,
      module: '',
      to: treasury.id,
      realm: treasury.realm,
      call: CREDIT,
      args: NO_ARGS,
      value: this.fees,
      payer: treasury.id,
      payerRealm: treasury.realm,
      code: '',
    })
    this.resume()
  }

  #reset(statuses: Uint8Array | undefined): void {
    this.#queue = []
    this.#next = 0
    this.#statuses = statuses
    this.#errors = []
    this.#outcomes = []
    this.#remote = 0
  }

  /** Queues a message for this shard, or puts it into the out box. */
  #route(message: Message): void {
    const key = idKey(message.to)
    const path = this.#parts.store.pathOf(key, message.to)
    if (message.realm === this.#parts.space.realm && this.#parts.space.contains(path)) {
      this.#queue.push({ message, key, path })
      return
    }
    this.outBox.add(path, message)
    if (message.origin.length > 0) this.#remote++
    if (this.#statuses !== undefined && isAction(message)) this.#statuses[message.action] = STATUS.SENT
  }

  #deliverCall({ message, path }: Queued, known: LedgerCell | undefined): void {
    this.#marks.call(message.call)
    const registered = this.#parts.registry.get(message.call, this.#home)
    if (registered === undefined) return this.#refuse(message, 'UNKNOWN_CALL', `no module has "${message.call}"`)
    const args = parseArgs(registered, message.args)
    if ('why' in args) return this.#refuse(message, 'BAD_ARGUMENTS', `the arguments do not fit "${message.call}"`)
    const owner = known === undefined || isNeverUsed(known) ? undefined : known.owner
    if (owner !== undefined && owner !== registered.module.name) {
      return this.#refuse(message, 'WRONG_OWNER', `the cell belongs to "${owner}", not to "${registered.module.name}"`)
    }
    const cell = known === undefined ? this.#parts.store.create(message.to, path) : this.#parts.store.change(known)
    const before = { ...cell }
    cell.balance += message.value
    const { context, registry } = this.#parts
    const frame = new CallFrame(context, this.#output, { message, cell, registered, args: args.data, registry })
    const thrown = runGuarded(message.call, frame, () => registered.call.apply(frame, args.data as never))
    if (thrown !== undefined) {
      frame.undo()
      Object.assign(cell, before)
      const { code, text } = this.#explain(thrown, message.call)
      return this.#refuse(message, code, text)
    }
    this.#settle()
    this.#record(message, STATUS.DONE, '', '')
  }

  /** A refused message's value comes home; then the module that sent it is told. */
  #deliverBounce({ message, path }: Queued, known: LedgerCell | undefined): void {
    const isGone = known === undefined || isEmpty(known)
    if (isGone && !isPayers(message)) {
      // The sending cell is gone: the value goes to whoever signed.
      this.#route({ ...message, to: message.payer, realm: message.payerRealm, module: '' })
      this.#record(message, STATUS.DONE, '', '')
      return
    }
    const cell = known === undefined ? this.#parts.store.create(message.to, path) : this.#parts.store.change(known)
    cell.balance += message.value
    const module = cell.owner === message.module ? this.#parts.registry.module(cell.owner) : undefined
    if (module?.onBounce !== undefined) {
      const before = { ...cell }
      const name = `${message.module}.onBounce`
      this.#marks.call(name)
      const run = { message, cell, registered: undefined, args: undefined, registry: this.#parts.registry }
      const frame = new CallFrame(this.#parts.context, this.#output, run)
      const bounced = { call: message.call, args: detached(message.args), code: message.code }
      const thrown = runGuarded(name, frame, () => module.onBounce?.(frame, bounced))
      if (thrown === undefined) this.#settle()
      else {
        // The value stays; only what the handler did is undone.
        frame.undo()
        Object.assign(cell, before)
        this.#explain(thrown, name)
      }
    }
    this.#record(message, STATUS.DONE, '', '')
  }

  /** Takes over what a call that was not refused sent and emitted. */
  #settle(): void {
    const { events, eventCount, sent } = this.#output
    if (eventCount > 0) {
      this.events.raw(events.view())
      this.eventCount += eventCount
    }
    if (sent.length > 0) for (const message of sent) this.#route(message)
  }

  /** Turns a message that was not executed around, and keeps why. */
  #refuse(message: Message, code: string, text: string): void {
    this.#record(message, STATUS.REFUSED, code, text)
    const isHandled = this.#parts.registry.module(message.module)?.onBounce !== undefined
    if (message.value === 0n && !isHandled) return
    this.#route({
      ...message,
      kind: 'bounce',
      from: message.to,
      fromRealm: message.realm,
      to: message.from,
      realm: message.fromRealm,
      code,
    })
  }

  #record(message: Message, status: number, code: string, text: string): void {
    if (message.origin.length === 0) return
    if (this.#statuses !== undefined) {
      if (!isAction(message)) return
      this.#statuses[message.action] = status
      if (status === STATUS.REFUSED) this.#errors.push({ action: message.action, code, message: text })
      return
    }
    const kind =
      message.kind === 'bounce' ? MESSAGE_KIND.BOUNCE : isAction(message) ? MESSAGE_KIND.ACTION : MESSAGE_KIND.SEND
    this.#outcomes.push({ action: message.action, kind, status, code, message: text })
  }

  #explain(thrown: CallFailure, call: string): { code: string; text: string } {
    if (thrown.kind === 'refused') return { code: thrown.code, text: thrown.message }
    this.faults.set(call, (this.faults.get(call) ?? 0) + 1)
    // What the engine says differs between versions, so it must not get into a receipt.
    return { code: 'MODULE_FAULT', text: `"${call}" broke; its author has to mend it` }
  }

  #laneDeposit(sender: LedgerCell, transaction: PooledTransaction): bigint {
    if (transaction.lane < 16) return 0n
    const after = withNonceUsed(sender.account, transaction.lane, transaction.nonce)
    const bytes = depositBytes(ACCOUNT, sender.value, after) - sender.depositBytes
    return this.#parts.context.depositPerByte * BigInt(bytes)
  }

  #missing(): Uint8Array[] {
    const { store, trie } = this.#parts
    return this.#queue
      .slice(this.#next)
      .filter(({ key, path }) => store.get(key) === undefined && trie.has(path))
      .map(({ message }) => message.to)
  }
}
