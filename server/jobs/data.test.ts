import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fromStored, MAX_DATA_BYTES, toStored } from './data.ts'

const job = { plugin: 'shop', name: 'work' }
const there = (value: unknown): unknown => {
  const stored = toStored(job, value)
  return fromStored(stored === undefined ? undefined : JSON.parse(JSON.stringify(stored)))
}

const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'))
const key = fc.oneof(text, fc.constantFrom('$bigint', '$bytes', '$date', '$$', '__proto__', 'constructor', ''))
const leaf = fc.oneof(
  text,
  fc.boolean(),
  fc.constant(null),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
  fc.bigInt(),
  fc.uint8Array(),
  fc.date({ noInvalidDate: true }),
)
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('tree')), fc.dictionary(key, tie('tree'))),
}))

it('gives back what was put in, whatever its keys are called', () => {
  fc.assert(
    fc.property(tree, (value) => {
      expect(there(value)).toEqual(value)
    }),
    { numRuns: 500 },
  )
})

it('keeps a lookalike of its own marks as it is', () => {
  for (const value of [{ $bigint: '5' }, { $bytes: 'AA==' }, { $date: 'x' }, { $$bigint: '5' }, { $bigint: 5n }])
    expect(there(value)).toEqual(value)
})

it('refuses what it could not give back, naming the job', () => {
  const loop: unknown[] = []
  loop.push(loop)
  for (const value of [
    () => 1,
    Symbol('x'),
    new Map(),
    Number.NaN,
    { a: [Infinity] },
    'a\0b',
    '\ud800',
    new Date(NaN),
    loop,
  ])
    expect(() => toStored(job, value)).toThrow(
      expect.objectContaining({
        code: 'JOB_DATA_INVALID',
        message: expect.stringContaining('plugin "shop", job "work"'),
      }),
    )
  expect(() => toStored(job, 'x'.repeat(MAX_DATA_BYTES))).toThrow(
    expect.objectContaining({ code: 'JOB_DATA_TOO_LARGE' }),
  )
})
