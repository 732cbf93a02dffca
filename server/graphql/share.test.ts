import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Held, Share } from './share.ts'

test('one holder gets an eighth, all together the whole, and what is given back is there again', () => {
  const share = new Share(16)
  expect([share.take(['a']), share.take(['a', 'key']), share.take(['a'])]).toEqual([true, true, false])
  expect([share.take(['b', 'key']), share.take(['c', 'key'])]).toEqual([true, false])
  expect([share.take([], 13), share.take([], 1)]).toEqual([true, false])
  share.give([], 13)
  share.give(['a'])
  expect(share.take(['a'])).toBe(true)
  expect(share.taken).toBe(3)
})

test('whatever is taken and given back, the bounds hold and nothing stays', () => {
  const step = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 30 }))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const share = new Share(80)
      const amounts = Array.from({ length: 10 }, () => 0)
      const held = amounts.map((_, n) => new Held(share, [`client ${n % 3}`]))
      for (const [n, amount] of steps) if (held[n]?.set(amount) === true) amounts[n] = amount
      expect(share.taken).toBe(amounts.reduce((sum, amount) => sum + amount, 0))
      for (const client of [0, 1, 2])
        expect(amounts.reduce((sum, amount, n) => sum + (n % 3 === client ? amount : 0), 0)).toBeLessThanOrEqual(10)
      for (const one of held) one.set(0)
      expect([share.taken, share.take(['client 0'], 10)]).toEqual([0, true])
    }),
  )
})
