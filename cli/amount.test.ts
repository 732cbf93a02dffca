import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDea, parseDea, parseUnits } from './amount.ts'

describe('an amount', () => {
  it('is read in DEA to the last unit', () => {
    expect(parseDea('1.5')).toBe(1_500_000_000n)
    expect(parseDea('0.000000001')).toBe(1n)
    expect(parseDea('12')).toBe(12_000_000_000n)
    expect(formatDea(1_500_000_000n)).toBe('1.5 DEA')
    expect(formatDea(0n)).toBe('0 DEA')
  })

  it.each(['', '1,5', '1e9', '-1', '.5', '1.', '0x10', ' 1', '1.0000000001'])('is not %j', (text) => {
    expect(() => parseDea(text)).toThrow()
    expect(() => parseUnits(`${text}!`)).toThrow()
  })

  it('in units is a whole number', () => {
    expect(parseUnits('1500000000')).toBe(1_500_000_000n)
    expect(() => parseUnits('1.5')).toThrow('whole number')
  })

  it('survives being shown', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 96n }), (units) => {
        expect(parseDea(formatDea(units).replace(' DEA', ''))).toBe(units)
      }),
    )
  })
})
