import { describe, expect, it } from 'vitest'
import type { TransactionStatus } from '../api.ts'
import { newCell } from '../state/ledger-cell.ts'
import { Mempool, type MempoolLimits } from './mempool.ts'
import type { PoolEntry } from './pool-entry.ts'
import { poolEntry } from './testing.ts'

const account = { ...newCell(new Uint8Array(32), new Uint8Array(32), 0), balance: 1_000_000n }
const limits: MempoolLimits = { maxCount: 1000, maxBytes: 1_000_000, maxPerSender: 100 }
const room = { count: 1000, bytes: 1_000_000, weight: 1_000_000 }

function pool(overrides: Partial<MempoolLimits> = {}) {
  const dropped: [string, TransactionStatus][] = []
  const mempool = new Mempool({ ...limits, ...overrides }, (entry, status) => dropped.push([entry.key, status]))
  return { mempool, dropped }
}

interface Asked {
  readonly sender?: string
  readonly lane?: number
  readonly maxFee?: bigint
  readonly validUntil?: number
}

const entry = (nonce: number, { sender = 'alice', ...fields }: Asked = {}): PoolEntry =>
  poolEntry(sender, 10, { nonce, ...fields })

const taken = (mempool: Mempool): number[] => mempool.take(room).map(({ transaction }) => transaction.nonce)

describe('a mempool', () => {
  it('hands out nonces in order, whatever order they came in', () => {
    const { mempool } = pool()
    for (const nonce of [2, 0, 3, 1]) expect(mempool.add(entry(nonce), account, 1n)).toEqual({ kind: 'added' })
    expect(taken(mempool)).toEqual([0, 1, 2, 3])
  })

  it('lets a nonce wait for the ones before it, up to 64 ahead', () => {
    const { mempool } = pool()
    expect(mempool.add(entry(64), account, 1n)).toEqual({ kind: 'added' })
    expect(mempool.add(entry(65), account, 1n)).toEqual({ kind: 'refused', code: 'NONCE_TOO_FAR' })
    expect(taken(mempool)).toEqual([])
    mempool.add(entry(0), account, 1n)
    expect(mempool.add(entry(65), account, 1n)).toEqual({ kind: 'added' })
    expect(taken(mempool)).toEqual([0])
  })

  it('keeps lanes apart', () => {
    const { mempool } = pool()
    mempool.add(entry(1, { lane: 0 }), account, 1n)
    mempool.add(entry(0, { lane: 7 }), account, 1n)
    expect(taken(mempool)).toEqual([0])
  })

  it('replaces a transaction only for ten percent more, and says so', () => {
    const { mempool, dropped } = pool()
    const first = entry(0, { maxFee: 100n })
    mempool.add(first, account, 1n)
    mempool.add(entry(1), account, 1n)
    expect(mempool.add(entry(0, { maxFee: 109n }), account, 1n)).toEqual({ kind: 'refused', code: 'NONCE_USED' })
    const better = entry(0, { maxFee: 110n })
    expect(mempool.add(better, account, 1n)).toEqual({ kind: 'added' })
    expect(dropped).toEqual([[first.key, 'REPLACED']])
    expect(mempool.take(room).map(({ key }) => key)[0]).toBe(better.key)
    expect(mempool.size).toBe(2)
  })

  it('makes room for a higher fee by the lowest one, and what follows that one waits', () => {
    const { mempool, dropped } = pool({ maxCount: 3 })
    const cheap = entry(0, { sender: 'bob', maxFee: 50n })
    mempool.add(cheap, account, 1n)
    mempool.add(entry(1, { sender: 'bob', maxFee: 300n }), account, 1n)
    mempool.add(entry(0, { maxFee: 200n }), account, 1n)
    expect(mempool.add(entry(0, { sender: 'carol', maxFee: 50n }), account, 1n)).toEqual({
      kind: 'refused',
      code: 'MEMPOOL_FULL',
    })
    expect(mempool.add(entry(0, { sender: 'carol', maxFee: 60n }), account, 1n)).toEqual({ kind: 'added' })
    expect(dropped).toEqual([[cheap.key, 'EVICTED']])
    // Bob's second one is not lost, but must not run without the first.
    expect(mempool.take(room).map(({ senderKey }) => senderKey)).toEqual(['alice', 'carol'])
    expect(mempool.size).toBe(3)
  })

  it('is not kept full by those who promise a high fee and leave out a nonce, or have no coins', () => {
    const { mempool, dropped } = pool({ maxCount: 4 })
    const gaps = [1, 2].map((nonce) => entry(nonce, { sender: 'mallory', maxFee: 10n ** 30n }))
    const [poor, behind] = [0, 1].map((nonce) => entry(nonce, { sender: 'mallory', lane: 1, maxFee: 10n ** 31n }))
    for (const one of [...gaps, poor!, behind!]) expect(mempool.add(one, account, 1n).kind).toBe('added')
    mempool.take(room)
    mempool.setAside(poor!, 'parked')
    mempool.setAside(behind!, 'behind')
    for (const nonce of [0, 1, 2, 3]) expect(mempool.add(entry(nonce, { maxFee: 10n }), account, 1n).kind).toBe('added')
    expect(dropped.map(([, status]) => status)).toEqual(['EVICTED', 'EVICTED', 'EVICTED', 'EVICTED'])
    const more = entry(1, { sender: 'mallory', maxFee: 10n ** 32n })
    expect(mempool.add(more, account, 1n)).toEqual({ kind: 'refused', code: 'MEMPOOL_FULL' })
    expect(taken(mempool)).toEqual([0, 1, 2, 3])
  })

  it('is bounded for each sender and by bytes', () => {
    const { mempool } = pool({ maxPerSender: 2, maxBytes: 250 })
    mempool.add(entry(0), account, 1n)
    mempool.add(entry(1), account, 1n)
    expect(mempool.add(entry(2), account, 1n)).toEqual({ kind: 'refused', code: 'MEMPOOL_FULL' })
    expect(mempool.add(entry(0, { sender: 'bob' }), account, 1n)).toEqual({ kind: 'refused', code: 'MEMPOOL_FULL' })
    expect(mempool.bytes).toBe(200)
  })

  it('drops what is past its time, except what is in a block already', () => {
    const { mempool, dropped } = pool()
    const inBlock = entry(0, { validUntil: 5 })
    mempool.add(inBlock, account, 1n)
    mempool.take(room)
    const late = entry(1, { validUntil: 5 })
    mempool.add(late, account, 1n)
    mempool.add(entry(2), account, 1n)
    mempool.expire(6)
    expect(dropped).toEqual([[late.key, 'EXPIRED']])
    mempool.included(inBlock)
    expect(taken(mempool)).toEqual([])
  })

  it('lets what its sender cannot pay try again later, in order', () => {
    const { mempool } = pool()
    const [first, second] = [entry(0), entry(1)]
    mempool.add(first, account, 1n)
    mempool.add(second, account, 1n)
    for (const one of mempool.take(room)) mempool.setAside(one, 'parked')
    expect(taken(mempool)).toEqual([])
    mempool.unpark()
    expect(taken(mempool)).toEqual([0, 1])
  })

  it('keeps what pays too little until the price is lower, and those behind it in its lane', () => {
    const { mempool } = pool()
    const [cheap, next, other] = [entry(0, { maxFee: 30n }), entry(1), entry(0, { sender: 'bob', maxFee: 40n })]
    for (const one of [cheap, next, other]) mempool.add(one, account, 1n)
    mempool.take(room)
    mempool.setAside(cheap, 'priced')
    mempool.setAside(other, 'priced')
    mempool.setAside(next, 'behind')
    mempool.unpark()
    mempool.reprice(5n)
    expect([mempool.readyCount, mempool.size]).toEqual([0, 3])
    mempool.reprice(4n)
    expect(mempool.take(room)).toEqual([other])
    mempool.reprice(3n)
    expect(mempool.take(room)).toEqual([cheap])
    mempool.sealed(cheap)
    expect(mempool.take(room)).toEqual([next])
  })

  it('says what the fee is to those who pay less than the present price, but knows what it has', () => {
    const { mempool } = pool()
    const one = entry(0, { maxFee: 30n })
    expect(mempool.add(one, account, 3n)).toEqual({ kind: 'added' })
    expect(mempool.add(one, account, 4n)).toMatchObject({ kind: 'known' })
    const refused = mempool.add(entry(1, { maxFee: 39n }), account, 4n)
    expect(refused).toEqual({ kind: 'refused', code: 'FEE_TOO_LOW', message: 'the fee is 40 now, maxFee only 39' })
  })

  it('lets what waits behind an entry that is gone wait for another of its nonce', () => {
    const { mempool } = pool()
    const entries = [entry(0), entry(1), entry(2)]
    for (const one of entries) mempool.add(one, account, 1n)
    const [first, ...others] = mempool.take(room)
    mempool.setAside(first!, 'parked')
    for (const one of others) mempool.setAside(one, 'behind')
    mempool.add(entry(0, { maxFee: 110n }), account, 1n)
    expect(taken(mempool)).toEqual([0, 1, 2])
  })

  it('begins with what a block had no room for, in its order', () => {
    const { mempool } = pool()
    const entries = [0, 1, 2, 3, 4].map((nonce) => entry(nonce))
    for (const one of entries.slice(0, 4)) mempool.add(one, account, 1n)
    const [, second, third, fourth] = mempool.take(room)
    mempool.add(entries[4]!, account, 1n)
    for (const one of [second, third, fourth]) mempool.putBack(one!)
    expect([mempool.readyCount, mempool.inOrder().length]).toEqual([4, 5])
    expect(mempool.take({ ...room, count: 2 })).toEqual([second, third])
    mempool.putBack(second!)
    mempool.putBack(third!)
    expect(taken(mempool)).toEqual([1, 2, 3, 4])
  })

  it('lets a lane go on whose nonce was used elsewhere', () => {
    const { mempool, dropped } = pool()
    for (const nonce of [0, 1]) mempool.add(entry(nonce), account, 1n)
    const [stale, next] = mempool.take(room)
    mempool.setAside(next!, 'behind')
    mempool.supersede(stale!)
    expect(dropped).toEqual([[stale?.key, 'REPLACED']])
    expect(taken(mempool)).toEqual([1])
  })

  it('forgets everything when all is included', () => {
    const { mempool } = pool()
    const all = Array.from({ length: 50 }, (_, nonce) =>
      entry(nonce, { sender: `sender ${nonce % 7}`, lane: nonce % 3, maxFee: 10n }),
    )
    for (const one of all) mempool.add({ ...one, transaction: { ...one.transaction, nonce: 0 } }, account, 1n)
    for (const one of mempool.take(room)) mempool.included(one)
    expect([mempool.size, mempool.bytes, mempool.readyCount]).toEqual([0, 0, 0])
  })
})
