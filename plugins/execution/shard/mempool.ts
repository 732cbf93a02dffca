import type { TransactionStatus } from '../api.ts'
import { nextNonce } from '../state/account.ts'
import type { LedgerCell } from '../state/ledger-cell.ts'
import { chargeOf, feeRefusal, type Refusal } from './admission.ts'
import type { Lane, PoolEntry, PoolState, Sender } from './pool-entry.ts'
import { ReadyLine } from './ready-line.ts'
import { type ShardLoad, Throttle } from './throttle.ts'
import { givesWay, Victims } from './victims.ts'

/** Bounds of a mempool. */
export interface MempoolLimits {
  readonly maxCount: number
  readonly maxBytes: number
  readonly maxPerSender: number
}

export const MEMPOOL_LIMITS: MempoolLimits = { maxCount: 50_000, maxBytes: 64 * 1024 * 1024, maxPerSender: 4096 }

/** How far a nonce may be ahead of the last one that can be included. */
const NONCE_WINDOW = 64
/** A replacement pays at least this much more, in percent. */
const REPLACEMENT_PERCENT = 110n

export type Admission =
  | { readonly kind: 'added' }
  | { readonly kind: 'known'; readonly entry: PoolEntry }
  | ({ readonly kind: 'refused' } & Refusal)

/**
 * The transactions of a shard that wait for a block: first come, first served among those whose nonce is next.
 * Bounded by count, bytes and per sender; when it is full, what waits for an earlier nonce or for coins goes first, then the lowest
 * `maxFee`.
 */
export class Mempool {
  readonly #limits: MempoolLimits
  readonly #onDrop: (entry: PoolEntry, status: TransactionStatus) => void
  readonly #entries = new Map<string, PoolEntry>()
  readonly #senders = new Map<string, Sender>()
  readonly #line = new ReadyLine()
  #readyCount = 0
  readonly #parked = new Set<PoolEntry>()
  readonly #priced = new Set<PoolEntry>()
  /** None of those can pay more for a unit of weight. */
  #bestBid = 0n
  readonly #throttle: Throttle
  #bytes = 0
  readonly #victims: Victims

  /** `onDrop` is told of everything that leaves without a block. `shard`: whose pool it is. */
  constructor(limits: MempoolLimits, onDrop: (entry: PoolEntry, status: TransactionStatus) => void, shard = '') {
    this.#limits = limits
    this.#onDrop = onDrop
    // One pass finds the next hundredth of the pool, so that a full pool costs about 100 steps an entry.
    this.#victims = new Victims(Math.ceil(limits.maxCount / 100))
    // So that those who pay other shards find room.
    this.#throttle = new Throttle(shard, limits.maxCount / 2)
  }

  get size(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** How many could go into a block now, as far as is known. */
  get readyCount(): number {
    return this.#readyCount
  }

  find(key: string): PoolEntry | undefined {
    return this.#entries.get(key)
  }

  /** Takes an entry in, or says why not. `account` is the sender's newest cell, `price` that of the next block. */
  add(entry: PoolEntry, account: LedgerCell | undefined, price: bigint): Admission {
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
    const { fee, cost } = chargeOf(entry, price)
    const tooLow = feeRefusal(entry.transaction, fee)
    if (tooLow !== undefined) return { kind: 'refused', ...tooLow }
    if (account === undefined || account.balance < cost) return refused('INSUFFICIENT_FUNDS')
    const full = this.#throttle.refuses(entry)
    if (full !== undefined) return refused('MEMPOOL_FULL', `too much waits for shard ${full}: try again later`)
    if (before === undefined && !this.#makeRoom(entry, lane)) return refused('MEMPOOL_FULL')
    if (before !== undefined) this.#drop(before, 'REPLACED')
    this.#place(entry, lane)
    this.#promote(lane)
    return { kind: 'added' }
  }

  /**
   * Takes over an entry that the pool of the shard's parent had. It was admitted there, so it stays, whatever its sender
   * can pay now.
   */
  adopt(entry: PoolEntry, account: LedgerCell | undefined): Admission {
    const known = this.#entries.get(entry.key)
    if (known !== undefined) return { kind: 'known', entry: known }
    const { lane: number, nonce } = entry.transaction
    const sender = this.#senders.get(entry.senderKey) ?? { key: entry.senderKey, lanes: [], count: 0 }
    const used = account === undefined ? 0 : nextNonce(account.account, number)
    const lane = sender.lanes.find((other) => other.number === number) ?? newLane(sender, number, used)
    // Whoever submitted another transaction of this nonce meanwhile got the place.
    if (nonce < used || lane.entries.has(nonce)) return refused('NONCE_USED')
    this.#place(entry, lane)
    this.#promote(lane)
    return { kind: 'added' }
  }

  /** All entries as another pool should take them over: those in line first, and each lane by its nonces. */
  inOrder(): PoolEntry[] {
    const rest = [...this.#entries.values()].filter((entry) => entry.state !== 'ready')
    const all = [...this.#line.entries(), ...rest]
    const lanes = new Map<Lane | undefined, PoolEntry[]>()
    for (const entry of all) {
      const own = lanes.get(entry.lane)
      if (own === undefined) lanes.set(entry.lane, [entry])
      else own.push(entry)
    }
    // Highest first, to be taken from the end.
    for (const own of lanes.values()) own.sort((a, b) => b.transaction.nonce - a.transaction.nonce)
    return all.map((entry) => lanes.get(entry.lane)?.pop() ?? entry)
  }

  /** The next ready entries, in order, as far as they fit. They stay in the pool as taken. */
  take(limits: { readonly count: number; readonly bytes: number; readonly weight: number }): PoolEntry[] {
    const taken: PoolEntry[] = []
    let bytes = 0
    let weight = 0
    this.#line.drain((entry) => {
      if (taken.length === limits.count) return false
      if (bytes + entry.wire.length > limits.bytes || weight + entry.weight > limits.weight) return false
      if (this.#throttle.admit(entry)) {
        bytes += entry.wire.length
        weight += entry.weight
        this.#move(entry, 'taken')
        taken.push(entry)
      } else this.#move(entry, 'held')
      return true
    })
    return taken
  }

  /** A taken entry is in a block, which is not durable yet: those behind it have their turn. */
  sealed({ lane, transaction }: PoolEntry): void {
    if (lane !== undefined && lane.behind > 0) this.#catchUp(lane, transaction.nonce)
  }

  /** A taken entry that is in a durable block now. */
  included(entry: PoolEntry): void {
    this.#forget(entry)
  }

  /**
   * Sets a taken entry aside: `parked` until `unpark`, as its sender cannot pay it yet; `priced` until `reprice`; `behind`
   * until the one before it in its lane is in a block.
   */
  setAside(entry: PoolEntry, state: 'parked' | 'priced' | 'behind'): void {
    if (entry.state !== 'taken') return
    entry.cleared = []
    this.#move(entry, state)
  }

  /** Puts a taken entry back in line: the block had no room for it. */
  putBack(entry: PoolEntry): void {
    if (entry.state !== 'taken') return
    entry.state = 'ready'
    this.#readyCount++
    this.#line.putBack(entry)
  }

  /** Lets parked entries try again: funds may have come. */
  unpark(): void {
    for (const entry of [...this.#parked]) this.#move(entry, 'ready')
  }

  /** Lets those try again that can pay this price, in units for one of weight. */
  reprice(price: bigint): void {
    if (this.#priced.size === 0 || price > this.#bestBid) return
    const priced = [...this.#priced]
    this.#bestBid = 0n
    for (const entry of priced) {
      const bid = bidOf(entry)
      if (bid >= price) this.#move(entry, 'ready')
      else if (bid > this.#bestBid) this.#bestBid = bid
    }
  }

  /** Takes over how much other shards have to do, and lets those try again that waited for one of them. */
  throttle(loads: readonly ShardLoad[]): void {
    for (const entry of this.#throttle.update(loads)) if (entry.state === 'held') this.#move(entry, 'ready')
  }

  /** Drops a taken entry that can never be included. */
  reject(entry: PoolEntry, status: TransactionStatus): void {
    this.#drop(entry, status)
  }

  /** Drops a taken entry whose nonce another one used: those behind it do not wait for that. */
  supersede(entry: PoolEntry): void {
    this.sealed(entry)
    this.#forget(entry)
    this.#onDrop(entry, 'REPLACED')
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
      if (entry.state === 'waiting') this.#move(entry, 'ready')
    }
  }

  /** Lets those of a lane try again that follow a nonce and waited for it, in order. */
  #catchUp(lane: Lane, nonce: number): void {
    const behind = [...lane.entries.values()].filter(
      (entry) => entry.state === 'behind' && entry.transaction.nonce > nonce,
    )
    behind.sort((a, b) => a.transaction.nonce - b.transaction.nonce)
    for (const entry of behind) this.#move(entry, 'ready')
  }

  /** Changes what an entry waits for: all that is counted or listed by it follows. */
  #move(entry: PoolEntry, state: PoolState): void {
    const { lane } = entry
    if (entry.state === 'ready') this.#readyCount--
    else if (entry.state === 'parked') this.#parked.delete(entry)
    else if (entry.state === 'priced') this.#priced.delete(entry)
    else if (entry.state === 'held') this.#throttle.remove(entry)
    else if (entry.state === 'behind' && lane !== undefined) lane.behind--
    entry.state = state
    if (state === 'ready') {
      this.#readyCount++
      this.#line.push(entry)
    } else if (state === 'parked') this.#parked.add(entry)
    else if (state === 'priced') {
      this.#priced.add(entry)
      const bid = bidOf(entry)
      if (bid > this.#bestBid) this.#bestBid = bid
    } else if (state === 'behind' && lane !== undefined) lane.behind++
  }

  #makeRoom(entry: PoolEntry, { sender, next }: Lane): boolean {
    const { maxCount, maxBytes, maxPerSender } = this.#limits
    if (sender.count >= maxPerSender) return false
    const mayGo = entry.transaction.nonce <= next
    while (this.#entries.size >= maxCount || this.#bytes + entry.wire.length > maxBytes) {
      const victim = this.#victims.next(this.#entries.values())
      if (victim === undefined || !givesWay(victim, entry, mayGo)) return false
      this.#drop(victim, 'EVICTED')
    }
    return true
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
      if (later > nonce && entry.state !== 'taken') this.#move(entry, 'waiting')
    }
    lane.next = nonce
  }

  #forget(entry: PoolEntry): void {
    this.#move(entry, 'dropped')
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

/** The highest price that it can pay. */
const bidOf = ({ transaction, weight }: PoolEntry): bigint => transaction.maxFee / BigInt(weight)

const newLane = (sender: Sender, number: number, next: number): Lane => ({
  sender,
  number,
  next,
  entries: new Map(),
  behind: 0,
})

const refused = (code: Refusal['code'], message?: string): Admission => ({
  kind: 'refused',
  code,
  ...(message !== undefined && { message }),
})
