import { array, assert, constantFrom, nat, oneof, property, record } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cellPath } from '../../../protocol/index.ts'
import { nextNonce, withNonceUsed } from '../state/account.ts'
import { type LedgerCell, newCell } from '../state/ledger-cell.ts'
import { chargeOf } from './admission.ts'
import { Mempool } from './mempool.ts'
import type { PoolEntry } from './pool-entry.ts'
import { payment, poolEntry } from './testing.ts'

const SENDERS = ['alice', 'bob'] as const
const SHARDS = ['0:00', '0:01', '0:10', '0:11'] as const
const WEIGHT = 1000

/** A cell in each of the shards. */
const cells = SHARDS.map((shard) => {
  for (let i = 0; ; i++) {
    const id = new Uint8Array(32).fill(i)
    if (cellPath(id)[0]!.toString(2).padStart(8, '0').startsWith(shard.slice(2))) return id
  }
})

const step = oneof(
  {
    weight: 5,
    arbitrary: record({
      kind: constantFrom('add' as const),
      sender: constantFrom(...SENDERS),
      lane: nat(1),
      nonce: nat(4),
      price: nat(20),
      validUntil: nat(9),
      to: array(nat(3), { minLength: 1, maxLength: 2 }),
    }),
  },
  { weight: 3, arbitrary: record({ kind: constantFrom('block' as const), room: nat(4), taken: nat(6) }) },
  {
    weight: 2,
    arbitrary: record({
      kind: constantFrom('root' as const),
      price: nat(20),
      rich: array(constantFrom(...SENDERS), { maxLength: 3 }),
      congestion: array(nat(400), { minLength: 4, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: record({ kind: constantFrom('fault' as const), taken: nat(6) }) },
  { weight: 1, arbitrary: record({ kind: constantFrom('expire' as const), height: nat(9) }) },
)

interface Added {
  readonly sender: string
  readonly lane: number
  readonly nonce: number
  readonly price: number
  readonly validUntil: number
  readonly to: readonly number[]
}

/** A mempool with a block maker that does nothing but count nonces. */
class Model {
  readonly dropped: string[] = []
  readonly included: PoolEntry[] = []
  readonly mempool = new Mempool(
    { maxCount: 1000, maxBytes: 1e9, maxPerSender: 1000 },
    ({ key }) => this.dropped.push(key),
    '0:00',
  )
  price = 1n
  rich: ReadonlySet<string> = new Set(SENDERS)
  readonly #accounts = new Map<string, LedgerCell>()

  account(sender: string): LedgerCell {
    const known = this.#accounts.get(sender)
    if (known !== undefined) return known
    const fresh = { ...newCell(new Uint8Array(32), new Uint8Array(32), 0), balance: 1n << 60n }
    this.#accounts.set(sender, fresh)
    return fresh
  }

  next(sender: string, lane: number): number {
    return nextNonce(this.account(sender).account, lane)
  }

  #use(sender: string, lane: number): void {
    const cell = this.account(sender)
    cell.account = withNonceUsed(cell.account, lane, this.next(sender, lane))
  }

  add({ sender, lane, nonce, price, validUntil, to }: Added): void {
    const actions = to.map((i) => payment(cells[i]!))
    const maxFee = BigInt(price * WEIGHT)
    const entry = poolEntry(sender, WEIGHT, { lane, nonce, validUntil, maxFee, actions })
    this.mempool.add(entry, this.account(sender), this.price)
  }

  take = (count: number): PoolEntry[] => this.mempool.take({ count, bytes: 1e9, weight: 400_000 })

  /** As the engine and its block maker do. */
  block(count: number, room: number): void {
    const [priced, parked, behind]: [PoolEntry[], PoolEntry[], PoolEntry[]] = [[], [], []]
    const [putBack, stale, sealed]: [PoolEntry[], PoolEntry[], PoolEntry[]] = [[], [], []]
    for (const entry of this.take(count)) {
      const { senderKey, transaction } = entry
      const expected = this.next(senderKey, transaction.lane)
      if (sealed.length >= room) putBack.push(entry)
      else if (transaction.nonce < expected) stale.push(entry)
      else if (transaction.nonce > expected) behind.push(entry)
      else if (transaction.maxFee < chargeOf(entry, this.price).fee) priced.push(entry)
      else if (!this.rich.has(senderKey)) parked.push(entry)
      else {
        this.#use(senderKey, transaction.lane)
        sealed.push(entry)
      }
    }
    for (const entry of parked) this.mempool.setAside(entry, 'parked')
    for (const entry of priced) this.mempool.setAside(entry, 'priced')
    for (const entry of behind) this.mempool.setAside(entry, 'behind')
    for (const entry of putBack) this.mempool.putBack(entry)
    for (const entry of stale) this.mempool.supersede(entry)
    for (const entry of sealed) this.mempool.sealed(entry)
    for (const entry of sealed) this.mempool.included(entry)
    this.included.push(...sealed)
  }

  root(congestion: readonly number[]): void {
    this.mempool.unpark()
    this.mempool.reprice(this.price)
    this.mempool.throttle(congestion.map((percent, i) => ({ shard: SHARDS[i]!, congestion: percent, senders: 3 })))
  }
}

describe('a mempool, whatever happens', () => {
  it('forgets nothing: in the end all is included whose nonces are there, each lane in order', () => {
    assert(
      property(array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const model = new Model()
        for (const one of steps) {
          if (one.kind === 'add') model.add(one)
          else if (one.kind === 'block') model.block(one.taken, one.room)
          else if (one.kind === 'fault') for (const entry of model.take(one.taken)) model.mempool.putBack(entry)
          else if (one.kind === 'expire') model.mempool.expire(one.height)
          else {
            model.price = BigInt(one.price)
            model.rich = new Set(one.rich)
            model.root(one.congestion)
          }
        }
        model.price = 0n
        model.rich = new Set(SENDERS)
        for (let round = 0; round < 40; round++) {
          model.root([])
          model.block(100, 100)
        }
        expect(model.mempool.readyCount).toBe(0)
        const lanes = new Map<string, number[]>()
        for (const { senderKey, transaction } of model.included) {
          const name = `${senderKey} ${transaction.lane}`
          lanes.set(name, [...(lanes.get(name) ?? []), transaction.nonce])
        }
        for (const nonces of lanes.values()) expect(nonces).toEqual(nonces.map((_, i) => i))
        // What is left waits for a nonce that nobody sent.
        for (const entry of model.mempool.inOrder()) {
          expect(entry.state).toBe('waiting')
          expect(entry.transaction.nonce).toBeGreaterThan(model.next(entry.senderKey, entry.transaction.lane))
        }
      }),
      { numRuns: 1000 },
    )
  })
})
