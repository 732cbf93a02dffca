import type { Transaction } from '../../../protocol/index.ts'
import type { RefusalCode, TransactionStatus } from '../api.ts'
import { nextNonce } from '../state/account.ts'
import type { LedgerCell } from '../state/ledger-cell.ts'

/** Bounds of a mempool. */
export interface MempoolLimits {
  readonly maxCount: number
  readonly maxBytes: number
  readonly maxPerSender: number
}

export const MEMPOOL_LIMITS: MempoolLimits = { maxCount: 50_000, maxBytes: 64 * 1024 * 1024, maxPerSender: 4096 }

/** How far a nonce may be ahead of the last one that can be included. */
export const NONCE_WINDOW = 64
/** A replacement pays at least this much more, in percent. */
const REPLACEMENT_PERCENT = 110n

/** Whoever asked to be told when a transaction is included. */
export interface Waiter {
  readonly batch: number
  readonly index: number
}

/** What executing a transaction needs of it. The rest is in its wire bytes: entries live long, so each view counts. */
export type PooledTransaction = Pick<
  Transaction,
  'id' | 'realm' | 'sender' | 'lane' | 'nonce' | 'validUntil' | 'maxFee' | 'actions'
>

/** A transaction that waits for a block. */
export interface PoolEntry {
  /** The id as a map key. */
  readonly key: string
  readonly transaction: PooledTransaction
  readonly wire: Uint8Array
  readonly senderKey: string
  readonly weight: number
  readonly fee: bigint
  /** Fee and all values: what its sender must have. */
  readonly cost: bigint
  /** The session key that signed it; undefined if the sender's own did. */
  readonly session: Uint8Array | undefined
  readonly waiters: Waiter[]
  /** The lane it waits in, while it is in the pool. */
  lane: Lane | undefined
  /** Its place in the line of ready ones; older places of it in the line do not count. */
  place: number
  /** `waiting` for an earlier nonce, `ready`, `taken` into a block being made, `parked` for want of funds, or `dropped`. */
  state: 'waiting' | 'ready' | 'taken' | 'parked' | 'dropped'
}

export type Admission =
  | { readonly kind: 'added' }
  | { readonly kind: 'known'; readonly entry: PoolEntry }
  | { readonly kind: 'refused'; readonly code: RefusalCode }

/** One client's sequence of nonces. */
export interface Lane {
  readonly sender: Sender
  readonly number: number
  /** The nonce after the last one that is ready or taken. */
  next: number
  readonly entries: Map<number, PoolEntry>
}

/** A sender with transactions in the pool. */
interface Sender {
  readonly key: string
  readonly lanes: Lane[]
  count: number
}

/**
 * The transactions of a shard that wait for a block: first come, first served among those whose nonce is next.
 * Bounded by count, bytes and per sender; when it is full the lowest `maxFee` goes first.
 */
export class Mempool {
  readonly #limits: MempoolLimits
  readonly #onDrop: (entry: PoolEntry, status: TransactionStatus) => void
  readonly #entries = new Map<string, PoolEntry>()
  readonly #senders = new Map<string, Sender>()
  #ready: PoolEntry[] = []
  #readyFrom = 0
  /** The place of the first in the array. */
  #readyBase = 0
  #readyCount = 0
  #parked: PoolEntry[] = []
  #bytes = 0
  /** Entries with the lowest fees when it was last filled, lowest last. */
  #victims: PoolEntry[] = []

  /** `onDrop` is told of everything that leaves without a block. */
  constructor(limits: MempoolLimits, onDrop: (entry: PoolEntry, status: TransactionStatus) => void) {
    this.#limits = limits
    this.#onDrop = onDrop
  }

  get size(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** How many could go into a block now, as far as nonces tell. */
  get readyCount(): number {
    return this.#readyCount
  }

  find(key: string): PoolEntry | undefined {
    return this.#entries.get(key)
  }

  /** Takes an entry in, or says why not. `account` is the sender's newest cell. */
  add(entry: PoolEntry, account: LedgerCell | undefined): Admission {
    const known = this.#entries.get(entry.key)
    if (known !== undefined) return { kind: 'known', entry: known }
    const { lane: number, nonce } = entry.transaction
    const sender = this.#senders.get(entry.senderKey) ?? { key: entry.senderKey, lanes: [], count: 0 }
    const used = account === undefined ? 0 : nextNonce(account.account, number)
    if (nonce < used) return refused('NONCE_USED')
    const lane = sender.lanes.find((other) => other.number === number) ?? newLane(sender, number, used)
    if (nonce > lane.next + NONCE_WINDOW) return refused('NONCE_TOO_FAR')
    const before = lane.entries.get(nonce)
    if (before !== undefined && !this.#mayReplace(before, entry)) return refused('NONCE_USED')
    if (account === undefined || account.balance < entry.cost) return refused('INSUFFICIENT_FUNDS')
    if (before === undefined && !this.#makeRoom(entry, sender)) return refused('MEMPOOL_FULL')
    if (before !== undefined) this.#drop(before, 'REPLACED')
    this.#place(entry, lane)
    this.#promote(lane)
    return { kind: 'added' }
  }

  /** The next ready entries, in order, as far as they fit. They stay in the pool as taken. */
  take(limits: { readonly count: number; readonly bytes: number; readonly weight: number }): PoolEntry[] {
    const taken: PoolEntry[] = []
    let bytes = 0
    let weight = 0
    while (this.#readyFrom < this.#ready.length && taken.length < limits.count) {
      const entry = this.#ready[this.#readyFrom]!
      if (entry.state === 'ready' && entry.place === this.#readyBase + this.#readyFrom) {
        bytes += entry.wire.length
        weight += entry.weight
        if (bytes > limits.bytes || weight > limits.weight) break
        entry.state = 'taken'
        this.#readyCount--
        taken.push(entry)
      }
      this.#readyFrom++
    }
    if (this.#readyFrom > 4096 && 2 * this.#readyFrom > this.#ready.length) {
      this.#ready = this.#ready.slice(this.#readyFrom)
      this.#readyBase += this.#readyFrom
      this.#readyFrom = 0
    }
    return taken
  }

  /** A taken entry that is in a block now. */
  included(entry: PoolEntry): void {
    this.#forget(entry)
  }

  /** Sets a taken entry aside until `unpark`: its sender cannot pay it yet. */
  park(entry: PoolEntry): void {
    if (entry.state !== 'taken') return
    entry.state = 'parked'
    this.#parked.push(entry)
  }

  /** Puts a taken entry back in line: the block had no room for it. */
  putBack(entry: PoolEntry): void {
    if (entry.state === 'taken') this.#makeReady(entry)
  }

  /** Lets parked entries try again. */
  unpark(): void {
    const parked = this.#parked
    this.#parked = []
    for (const entry of parked) if (entry.state === 'parked') this.#makeReady(entry)
  }

  /** Drops a taken entry that can never be included. */
  reject(entry: PoolEntry, status: TransactionStatus): void {
    this.#drop(entry, status)
  }

  /** Drops what may not be included at this root height any more. */
  expire(rootHeight: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.transaction.validUntil < rootHeight && entry.state !== 'taken') this.#drop(entry, 'EXPIRED')
    }
  }

  /** Files an entry; dropping others before may have taken its lane and sender out. */
  #place(entry: PoolEntry, lane: Lane): void {
    const { sender } = lane
    if (lane.entries.size === 0) sender.lanes.push(lane)
    if (sender.count === 0) this.#senders.set(sender.key, sender)
    sender.count++
    lane.entries.set(entry.transaction.nonce, entry)
    entry.lane = lane
    this.#entries.set(entry.key, entry)
    this.#bytes += entry.wire.length
  }

  #mayReplace(before: PoolEntry, entry: PoolEntry): boolean {
    if (before.state === 'taken') return false
    return entry.transaction.maxFee * 100n >= before.transaction.maxFee * REPLACEMENT_PERCENT
  }

  /** Makes entries ready whose turn has come. */
  #promote(lane: Lane): void {
    for (;;) {
      const entry = lane.entries.get(lane.next)
      if (entry === undefined) return
      lane.next++
      if (entry.state === 'waiting') this.#makeReady(entry)
    }
  }

  #makeReady(entry: PoolEntry): void {
    entry.state = 'ready'
    entry.place = this.#readyBase + this.#ready.length
    this.#ready.push(entry)
    this.#readyCount++
  }

  #makeRoom(entry: PoolEntry, sender: Sender): boolean {
    const { maxCount, maxBytes, maxPerSender } = this.#limits
    if (sender.count >= maxPerSender) return false
    while (this.#entries.size >= maxCount || this.#bytes + entry.wire.length > maxBytes) {
      const victim = this.#nextVictim()
      if (victim === undefined || victim.transaction.maxFee >= entry.transaction.maxFee) return false
      this.#victims.pop()
      this.#drop(victim, 'EVICTED')
    }
    return true
  }

  #nextVictim(): PoolEntry | undefined {
    while (this.#victims.length > 0) {
      const victim = this.#victims.at(-1)!
      if (victim.state !== 'taken' && victim.state !== 'dropped') return victim
      this.#victims.pop()
    }
    // One pass finds the next hundredth of the pool, so that a full pool costs about 100 steps an entry.
    const candidates = [...this.#entries.values()].filter((entry) => entry.state !== 'taken')
    candidates.sort((a, b) => Number(b.transaction.maxFee - a.transaction.maxFee))
    this.#victims = candidates.slice(-Math.ceil(this.#limits.maxCount / 100))
    return this.#victims.at(-1)
  }

  #drop(entry: PoolEntry, status: TransactionStatus): void {
    const { lane } = entry
    if (lane !== undefined && entry.transaction.nonce < lane.next) this.#demote(lane, entry.transaction.nonce)
    this.#forget(entry)
    this.#onDrop(entry, status)
  }

  /** What follows a nonce that is gone has to wait for it again. */
  #demote(lane: Lane, nonce: number): void {
    for (const [later, entry] of lane.entries) {
      if (later <= nonce || (entry.state !== 'ready' && entry.state !== 'parked')) continue
      if (entry.state === 'ready') this.#readyCount--
      entry.state = 'waiting'
    }
    lane.next = nonce
  }

  #forget(entry: PoolEntry): void {
    if (entry.state === 'ready') this.#readyCount--
    entry.state = 'dropped'
    this.#entries.delete(entry.key)
    this.#bytes -= entry.wire.length
    const { lane } = entry
    entry.lane = undefined
    if (lane === undefined) return
    const { sender } = lane
    lane.entries.delete(entry.transaction.nonce)
    if (lane.entries.size === 0) sender.lanes.splice(sender.lanes.indexOf(lane), 1)
    sender.count--
    if (sender.count === 0) this.#senders.delete(sender.key)
  }
}

const newLane = (sender: Sender, number: number, next: number): Lane => ({ sender, number, next, entries: new Map() })

const refused = (code: RefusalCode): Admission => ({ kind: 'refused', code })
