import { expect, it } from 'vitest'
import { parseCount, parseHeight } from './numbers.ts'

it('takes whole numbers up to a limit, the largest safe one included', () => {
  expect(parseHeight('0')).toBe(0)
  expect(parseHeight('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER)
  expect(parseCount('1000000')).toBe(1_000_000)
  for (const text of ['9007199254740992', '9999999999999999', '90071992547409910', '-1', '1.5', '1e3', ''])
    expect(() => parseHeight(text)).toThrow('It must be a whole number from 0 to 9007199254740991.')
  expect(() => parseCount('1000001')).toThrow('from 0 to 1000000')
})
