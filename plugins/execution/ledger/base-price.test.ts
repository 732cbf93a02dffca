import { assert, bigInt, integer, nat, property, record } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BLOCK_SPAN, fullness, MAX_PRICE_FACTOR, nextBasePrice, type PricedBlock } from './base-price.ts'
import { MAX_BLOCK_TRANSACTIONS, MAX_BLOCK_WEIGHT, MAX_BODY_BYTES, TRANSACTION_SHARE } from './rules.ts'

const empty: PricedBlock = { basePrice: 1000n, rootCursor: 5, txWeight: 0, weight: 0, txCount: 0, bodyBytes: 1 }
const full: PricedBlock = { ...empty, ...ran(1) }
/** The most that messages may be of a block. */
const MOST = 1 - TRANSACTION_SHARE

/** What ran in a block: transactions, then messages, each in parts of a full one. */
function ran(transactions: number, messages = 0): Pick<PricedBlock, 'txWeight' | 'weight'> {
  const txWeight = MAX_BLOCK_WEIGHT * transactions
  return { txWeight, weight: txWeight + MAX_BLOCK_WEIGHT * messages }
}

/** The prices of blocks that are all as full as `block`, a root height apart. */
function priceAfter(blocks: number, block: PricedBlock, floor: bigint): bigint {
  let basePrice = block.basePrice
  for (let i = 0; i < blocks; i++) basePrice = nextBasePrice({ ...block, basePrice }, block.rootCursor + 1, floor)
  return basePrice
}

describe('the price of a block', () => {
  it('rises by an eighth after a full block, by less after one that is a little fuller than half', () => {
    expect(nextBasePrice(full, 6, 1n)).toBe(1125n)
    expect(nextBasePrice({ ...full, ...ran(0.6) }, 6, 1n)).toBe(1025n)
    expect(nextBasePrice({ ...full, ...ran(0.5) }, 6, 1n)).toBe(1000n)
  })

  it('falls by an eighth after an empty block, by less after one that is nearly half full', () => {
    expect(nextBasePrice(empty, 6, 1n)).toBe(875n)
    expect(nextBasePrice({ ...empty, ...ran(0.4) }, 6, 1n)).toBe(975n)
  })

  it('goes by whatever the block is fullest of', () => {
    const parts = [ran(0.7), { txCount: MAX_BLOCK_TRANSACTIONS * 0.7 }, { bodyBytes: MAX_BODY_BYTES * 0.7 }]
    for (const part of parts) expect(fullness({ ...empty, ...part }) / 1e6).toBeCloseTo(0.7, 3)
    expect(fullness({ ...empty, ...ran(2) })).toBe(1_000_000)
  })

  it('does not follow messages: they take room away, of which three eighths always count', () => {
    expect(nextBasePrice({ ...full, ...ran(0, MOST) }, 6, 1n)).toBe(875n)
    // Half of what messages leave, three quarters of it, all of it.
    expect(nextBasePrice({ ...full, ...ran(0.3, 0.4) }, 6, 1n)).toBe(1000n)
    expect(nextBasePrice({ ...full, ...ran(0.45, 0.4) }, 6, 1n)).toBe(1062n)
    expect(nextBasePrice({ ...full, ...ran(0.6, 0.4) }, 6, 1n)).toBe(1125n)
    // All that is always theirs: it rises under any number of messages.
    expect(nextBasePrice({ ...full, ...ran(TRANSACTION_SHARE, MOST) }, 6, 1n)).toBe(1041n)
    const weight = nat(MAX_BLOCK_WEIGHT)
    assert(
      property(weight, weight, weight, (txWeight, some, more) => {
        const at = (messages: number): number => fullness({ ...empty, txWeight, weight: txWeight + messages })
        // More messages never make a block less full; but no number of them raises it for few.
        expect(at(some + more)).toBeGreaterThanOrEqual(at(some))
        if (txWeight <= (MAX_BLOCK_WEIGHT * 3) / 16) expect(at(some)).toBeLessThanOrEqual(500_000)
        expect(at(0)).toBe(Math.floor((1_000_000 * txWeight) / MAX_BLOCK_WEIGHT))
      }),
    )
  })

  it('moves even where an eighth is less than a unit', () => {
    expect(nextBasePrice({ ...full, basePrice: 1n }, 6, 1n)).toBe(2n)
    expect(nextBasePrice({ ...empty, basePrice: 3n }, 6, 1n)).toBe(2n)
  })

  it('stays within the bounds of the network, and is nothing where the network charges nothing', () => {
    expect(priceAfter(1000, full, 3n)).toBe(3n * MAX_PRICE_FACTOR)
    expect(priceAfter(1000, empty, 3n)).toBe(3n)
    expect(priceAfter(10, { ...full, basePrice: 0n }, 0n)).toBe(0n)
  })

  it('falls while the shard makes no blocks, however full the last was, but not while a slow block is made', () => {
    expect(nextBasePrice(full, 5 + BLOCK_SPAN, 1n)).toBe(1125n)
    expect(nextBasePrice(full, 5 + BLOCK_SPAN + 1, 1n)).toBe(985n)
    expect(nextBasePrice({ ...full, basePrice: MAX_PRICE_FACTOR }, 5 + 200, 1n)).toBe(1n)
    expect(nextBasePrice({ ...full, basePrice: MAX_PRICE_FACTOR }, Number.MAX_SAFE_INTEGER, 1n)).toBe(1n)
  })

  it('never moves by more than an eighth and a unit a block, whatever blocks there are', () => {
    const block = record({
      basePrice: bigInt(1n, 10n ** 12n),
      rootCursor: nat(1000),
      txWeight: nat(MAX_BLOCK_WEIGHT),
      messages: nat(MAX_BLOCK_WEIGHT),
      txCount: nat(MAX_BLOCK_TRANSACTIONS),
      bodyBytes: nat(2 * MAX_BODY_BYTES),
    }).map(({ messages, ...rest }): PricedBlock => ({ ...rest, weight: rest.txWeight + messages }))
    assert(
      property(block, integer({ min: 0, max: BLOCK_SPAN }), (parent, apart) => {
        const price = nextBasePrice(parent, parent.rootCursor + apart, 1n)
        const most = parent.basePrice / 8n + 1n
        const capped = parent.basePrice > MAX_PRICE_FACTOR ? MAX_PRICE_FACTOR : parent.basePrice + most
        expect(price).toBeLessThanOrEqual(capped)
        if (parent.basePrice + most <= MAX_PRICE_FACTOR) expect(price).toBeGreaterThanOrEqual(parent.basePrice - most)
        // Less time passing never makes it cheaper.
        expect(nextBasePrice(parent, parent.rootCursor + apart + 20, 1n)).toBeLessThanOrEqual(price)
      }),
    )
  })
})
