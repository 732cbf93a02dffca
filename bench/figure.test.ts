import { describe, expect, it } from 'vitest'
import { figure, type Target, toJsonLine, toTable } from './figure.ts'

const measured = (value: number, target: Target) =>
  figure({ name: 'speed', value, unit: 'tx/s', reference: { name: 'light', value: 200 }, target })

describe('a figure', () => {
  it.each<[number, Target, boolean]>([
    [100, { atLeast: 100 }, true],
    [99, { atLeast: 100 }, false],
    [100, { atMost: 100 }, true],
    [101, { atMost: 100 }, false],
    [100, { ratioAtLeast: 0.5 }, true],
    [99, { ratioAtLeast: 0.5 }, false],
    [100, { ratioAtMost: 0.5 }, true],
    [101, { ratioAtMost: 0.5 }, false],
    [150, { ratioAtLeast: 0.5, atLeast: 200 }, false],
    [250, { ratioAtLeast: 0.5, atLeast: 200 }, true],
    [Number.NaN, { atMost: 100 }, false],
  ])('of %d meets %o: %s', (value, target, met) => {
    expect(measured(value, target).met).toBe(met)
  })

  it('without a reference meets no ratio', () => {
    const found = figure({ name: 'a', value: 1, unit: 'ms', target: { ratioAtMost: 2 } })
    expect(found).toMatchObject({ reference: null, referenceName: null, ratio: null, met: false })
  })

  it('is one line of JSON', () => {
    const line = toJsonLine(measured(123.456, { ratioAtLeast: 0.5, atLeast: 100 }))
    expect(line.endsWith('}\n')).toBe(true)
    expect(JSON.parse(line)).toEqual({
      name: 'speed',
      value: 123.5,
      unit: 'tx/s',
      reference: 200,
      referenceName: 'light',
      ratio: 0.6173,
      target: 'ratio >= 0.5, >= 100 tx/s',
      met: true,
    })
  })

  it('is a row of a table', () => {
    expect(toTable([measured(150, { atLeast: 200 })]).split('\n')).toEqual([
      'figure  value     reference    ratio  target       met',
      'speed   150 tx/s  200 (light)  0.75   >= 200 tx/s  NO',
      '',
    ])
  })
})
