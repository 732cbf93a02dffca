import { expect, it } from 'vitest'
import { PastRoots } from './past-roots.ts'

const random = (height: number): Uint8Array => new Uint8Array(32).fill(height % 251)

it.each([0, 7_000])('gives what was said of each root block from height %i on, and of no other', (first) => {
  const roots = new PastRoots()
  expect(() => roots.at(first)).toThrow(RangeError)
  for (let height = first; height < first + 5_000; height++)
    roots.add({ height, random: random(height), time: 10 * height })
  for (const height of [first, first + 1_023, first + 1_024, first + 4_999])
    expect(roots.at(height)).toEqual({ random: random(height), time: 10 * height })
  for (const height of [first - 1, first + 5_000, first + 5_001]) expect(() => roots.at(height)).toThrow(RangeError)
})
