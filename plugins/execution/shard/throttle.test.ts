import { describe, expect, it } from 'vitest'
import { cellPath } from '../../../protocol/index.ts'
import { MAX_BLOCK_WEIGHT, TRANSACTION_SHARE } from '../ledger/rules.ts'
import { newCell } from '../state/ledger-cell.ts'
import { Mempool } from './mempool.ts'
import type { PoolEntry } from './pool-entry.ts'
import { payment, poolEntry } from './testing.ts'
import { allowance, CLOSED, CONGESTED, type ShardLoad } from './throttle.ts'

const account = { ...newCell(new Uint8Array(32), new Uint8Array(32), 0), balance: 1n << 60n }
const WEIGHT = 1000
const room = { count: 8192, bytes: 1 << 23, weight: MAX_BLOCK_WEIGHT }

/** A cell in `0:0` or `0:1`. */
const cellIn = (bit: 0 | 1): Uint8Array => {
  for (let i = 0; ; i++) {
    const id = new Uint8Array(32).fill(i)
    if (cellPath(id)[0]! >> 7 === bit) return id
  }
}
const hot = cellIn(1)

let serial = 0
function entry(
  to: readonly Uint8Array[],
  options: { sender?: string; nonce?: number; realm?: number } = {},
): PoolEntry {
  serial++
  const { nonce = 0, sender = `sender ${serial}`, realm = 0 } = options
  const actions = to.map((cell) => payment(cell, realm))
  return poolEntry(sender, WEIGHT, { nonce, actions, validUntil: 9, maxFee: 10n ** 9n })
}

function poolOf(shard: string, maxCount = 100_000) {
  const limits = { maxCount, maxBytes: 1 << 30, maxPerSender: 100_000 }
  const mempool = new Mempool(limits, () => undefined, shard)
  const add = (one: PoolEntry) => mempool.add(one, account, 1n)
  return { mempool, add }
}

const busy = (congestion: number, senders = 1): ShardLoad[] => [{ shard: '0:1', congestion, senders }]

describe('what may go to a congested shard', () => {
  it('is a whole block at first, ever less, and nothing in the end', () => {
    const of = (congestion: number, senders = 1) => allowance({ congestion, senders })
    expect(of(CONGESTED)).toBe(MAX_BLOCK_WEIGHT)
    expect(of(200)).toBe(MAX_BLOCK_WEIGHT / 2)
    expect([of(CLOSED), of(1000)]).toEqual([0, 0])
    expect(of(20)).toBe(MAX_BLOCK_WEIGHT)
    // For all senders together.
    expect(of(200, 4)).toBe(MAX_BLOCK_WEIGHT / 8)
  })

  it('waits its turn between two root blocks, while all else goes on', () => {
    const { mempool, add } = poolOf('0:0')
    const there = Array.from({ length: 300 }, () => entry([hot]))
    const here = entry([cellIn(0)])
    const elsewhere = entry([hot], { realm: 5 })
    for (const one of [...there, here, elsewhere]) add(one)
    mempool.throttle(busy(250))
    // A quarter of a block: 100,000.
    expect(mempool.take(room)).toEqual([...there.slice(0, 100), here, elsewhere])
    expect(mempool.take(room)).toEqual([])
    mempool.throttle(busy(CLOSED))
    expect(mempool.take(room)).toEqual([])
    const late = entry([hot])
    add(late)
    mempool.throttle(busy(290))
    expect(mempool.take(room)).toEqual(there.slice(100, 120))
    mempool.throttle([])
    expect(mempool.take(room)).toEqual([...there.slice(120), late])
  })

  it('is at least one transaction, however heavy, if it is anything', () => {
    const { mempool, add } = poolOf('0:0')
    const heavy = [1, 2].map(() => ({ ...entry([hot]), weight: MAX_BLOCK_WEIGHT * TRANSACTION_SHARE }))
    for (const one of heavy) add(one)
    mempool.throttle(busy(CLOSED - 1))
    expect(mempool.take(room)).toEqual([heavy[0]])
    mempool.throttle(busy(CLOSED - 1))
    expect(mempool.take(room)).toEqual([heavy[1]])
  })

  it('waits for each of the congested shards that it goes to, and is not forgotten', () => {
    const { mempool, add } = poolOf('7:')
    const both = entry([cellIn(0), hot])
    add(both)
    const loads = (left: number, right: number) => [
      { shard: '0:0', congestion: left, senders: 1 },
      { shard: '0:1', congestion: right, senders: 1 },
    ]
    mempool.throttle(loads(CLOSED, CLOSED))
    expect(mempool.take(room)).toEqual([])
    mempool.throttle(loads(CLOSED, 200))
    mempool.throttle(loads(200, CLOSED))
    mempool.take(room)
    mempool.throttle(loads(200, 200))
    const found = [...mempool.take(room)]
    mempool.throttle(loads(200, 200))
    found.push(...mempool.take(room))
    expect(found).toEqual([both])
  })

  it('does not throttle a shard towards itself', () => {
    const { mempool, add } = poolOf('0:1')
    const own = entry([hot])
    add(own)
    mempool.throttle(busy(1000))
    expect(mempool.take(room)).toEqual([own])
  })

  it('keeps nonces in order: what follows a held one comes after it', () => {
    const { mempool, add } = poolOf('0:0')
    const first = entry([hot], { sender: 'alice', nonce: 0 })
    const second = entry([cellIn(0)], { sender: 'alice', nonce: 1 })
    add(first)
    add(second)
    mempool.throttle(busy(CLOSED))
    expect(mempool.take(room)).toEqual([second])
    // The block maker finds that an earlier nonce is missing.
    mempool.setAside(second, 'behind')
    mempool.throttle([])
    expect(mempool.take(room)).toEqual([first])
    mempool.sealed(first)
    expect(mempool.take(room)).toEqual([second])
  })

  it('fills half of the pool at most: senders to other shards find room', () => {
    const { mempool, add } = poolOf('0:0', 20)
    mempool.throttle(busy(CLOSED))
    for (let i = 0; i < 10; i++) add(entry([hot]))
    mempool.take(room)
    expect(add(entry([hot]))).toMatchObject({
      kind: 'refused',
      code: 'MEMPOOL_FULL',
      message: expect.stringContaining('0:1'),
    })
    expect(add(entry([cellIn(0)]))).toEqual({ kind: 'added' })
  })

  it('lets the queue of a hot shard grow to a bound, however many send, and never starves it', () => {
    const budget = MAX_BLOCK_WEIGHT * (1 - TRANSACTION_SHARE)
    const senders = Array.from({ length: 15 }, (_, i) => poolOf(`9:${i.toString(2).padStart(4, '0')}`))
    for (const { add } of senders) for (let i = 0; i < 4000; i++) add(entry([hot]))
    const peaks: number[] = []
    let deferred = 0
    // On their way: what a block sends arrives two root blocks later, and what is known is one root block old.
    const onTheWay = [0, 0]
    let known = 0
    for (let root = 0; root < 300; root++) {
      let sent = 0
      for (const { mempool } of senders) {
        mempool.throttle(busy(known, 15))
        for (const one of mempool.take(room)) {
          sent += one.weight
          mempool.included(one)
        }
      }
      onTheWay.push(sent)
      deferred += onTheWay.shift() ?? 0
      const ran = Math.min(deferred, budget)
      deferred -= ran
      known = (100 * (ran + deferred)) / MAX_BLOCK_WEIGHT
      peaks.push(deferred)
    }
    const left = senders.reduce((sum, { mempool }) => sum + mempool.size, 0)
    // 60,000 transactions of 1,000 are 150 blocks. The first come before anybody knows: three blocks of each sender.
    expect(Math.max(...peaks)).toBeLessThan(3 * 15 * MAX_BLOCK_WEIGHT)
    const afterwards = peaks.slice(peaks.indexOf(0, 5))
    expect(Math.max(...afterwards)).toBeLessThan(6 * MAX_BLOCK_WEIGHT)
    // At full speed it would take 200 root blocks.
    expect([left, deferred]).toEqual([0, 0])
  })
})
