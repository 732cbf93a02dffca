import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { u64be } from './bytes.ts'
import { CodecError } from './errors.ts'
import { listRoot } from './list.ts'
import { decodeListRange, encodeListRange, listRangeProof, verifyListRange } from './list-range.ts'

const list = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => u64be(i))
const listsWithRun = fc
  .integer({ min: 1, max: 40 })
  .chain((count) => fc.tuple(fc.constant(list(count)), fc.nat(count - 1)))
  .chain(([items, first]) =>
    fc.tuple(fc.constant(items), fc.constant(first), fc.integer({ min: 1, max: items.length - first })),
  )

describe('a range of a list', () => {
  test('is proven where it stands, whole, and nowhere else', () => {
    fc.assert(
      fc.property(listsWithRun, ([items, first, length]) => {
        const root = listRoot(items)
        const proof = listRangeProof(items, first, length)
        const run = items.slice(first, first + length)
        expect(verifyListRange(root, run, decodeListRange(encodeListRange(proof)))).toBe(true)
        expect(verifyListRange(root, run.slice(1), proof)).toBe(false)
        expect(verifyListRange(root, run.slice(0, -1), proof)).toBe(false)
        expect(verifyListRange(root, [...run, u64be(99)], proof)).toBe(false)
        expect(verifyListRange(root, run.with(0, u64be(99)), proof)).toBe(false)
        for (const shift of [-1, 1, 2])
          expect(verifyListRange(root, run, { ...proof, first: proof.first + shift })).toBe(false)
        expect(verifyListRange(root, run, { ...proof, count: proof.count + 1 })).toBe(false)
        expect(verifyListRange(root, run, { ...proof, siblings: [...proof.siblings, u64be(0)] })).toBe(false)
        if (length > 1) expect(verifyListRange(root, run.toReversed(), proof)).toBe(false)
      }),
    )
  })

  test('of an empty list is the whole of it', () => {
    const proof = listRangeProof([], 0, 0)
    expect(verifyListRange(listRoot([]), [], proof)).toBe(true)
    expect(verifyListRange(listRoot(list(1)), [], proof)).toBe(false)
    expect(verifyListRange(listRoot([]), list(1), proof)).toBe(false)
    expect(verifyListRange(listRoot(list(3)), [], { ...proof, count: 3 })).toBe(false)
  })

  test('with any byte flipped is refused', () => {
    fc.assert(
      fc.property(listsWithRun, fc.integer({ min: 1, max: 255 }), ([items, first, length], flip) => {
        const root = listRoot(items)
        const run = items.slice(first, first + length)
        const bytes = encodeListRange(listRangeProof(items, first, length))
        for (let at = 0; at < bytes.length; at++) expect(accepts(flipped(bytes, at, flip), root, run)).toBe(false)
      }),
      { numRuns: 40 },
    )
  })

  test('cannot be made where the list has none', () => {
    for (const [first, length] of [
      [0, 0],
      [-1, 1],
      [2, 2],
      [0.5, 1],
    ] as const)
      expect(() => listRangeProof(list(3), first, length)).toThrow(RangeError)
  })
})

function flipped(bytes: Uint8Array, at: number, flip: number): Uint8Array {
  const spoiled = bytes.slice()
  spoiled[at]! ^= flip
  return spoiled
}

function accepts(bytes: Uint8Array, root: Uint8Array, run: readonly Uint8Array[]): boolean {
  try {
    return verifyListRange(root, run, decodeListRange(bytes))
  } catch (error) {
    expect(error).toBeInstanceOf(CodecError)
    return false
  }
}
