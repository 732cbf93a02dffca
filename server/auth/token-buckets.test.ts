import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TokenBuckets } from './token-buckets.ts'

test('in no stretch of time more comes through than the burst and what the rate gives', () => {
  const step = fc.tuple(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 1, max: 20 }))
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(step, { maxLength: 50 }),
      (perSecond, burst, steps) => {
        let now = 0
        const buckets = new TokenBuckets(10, () => now)
        const taken: number[] = []
        for (const [pause, tries] of steps) {
          now += pause
          for (let n = 0; n < tries; n++) if (buckets.take('a', { perSecond, burst }) === 0) taken.push(now)
        }
        for (const [i, from] of taken.entries())
          for (const [j, until] of taken.entries())
            if (j >= i) expect(j - i + 1).toBeLessThanOrEqual(burst + ((until - from) * perSecond) / 1000 + 1e-6)
      },
    ),
    { numRuns: 100 },
  )
})

test('whoever is refused and comes back when told to is let through', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 5 }), (perSecond, burst) => {
      let now = 0
      const buckets = new TokenBuckets(10, () => now)
      for (let n = 0; n < burst; n++) expect(buckets.take('a', { perSecond, burst })).toBe(0)
      const wait = buckets.take('a', { perSecond, burst })
      expect(wait).toBeGreaterThan(0)
      now += wait * 1000 + 1e-6
      expect(buckets.take('a', { perSecond, burst })).toBe(0)
    }),
  )
})

test('a clock that is set back lets nobody through that would not be', () => {
  let now = 10_000
  const buckets = new TokenBuckets(10, () => now)
  const rate = { perSecond: 1, burst: 1 }
  expect(buckets.take('a', rate)).toBe(0)
  now = 0
  expect(buckets.take('a', rate)).toBeGreaterThan(0)
})

test('names are forgotten in the order in which they were last seen', () => {
  const buckets = new TokenBuckets(2, () => 0)
  const rate = { perSecond: 1, burst: 1 }
  for (const name of ['a', 'b', 'c']) expect(buckets.take(name, rate)).toBe(0)
  expect(buckets.take('c', rate)).toBeGreaterThan(0)
  expect(buckets.take('a', rate)).toBe(0)
})
