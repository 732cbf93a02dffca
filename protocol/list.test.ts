import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sha256 } from '#sha256'
import { concat, toHex, u64be } from './bytes.ts'
import { CodecError } from './errors.ts'
import { decodeListProof, encodeListProof, listProof, listRoot, verifyListProof } from './list.ts'

const lists = fc.uniqueArray(fc.uint8Array({ maxLength: 40 }), { maxLength: 20, selector: toHex })
const listsWithPlace = lists
  .filter((items) => items.length > 0)
  .chain((items) => fc.tuple(fc.constant(items), fc.nat(items.length - 1)))

/** The definition, word for word. */
function naiveRoot(items: readonly Uint8Array[]): Uint8Array {
  let layer = items.map((item) => sha256(concat(new Uint8Array([0]), sha256(item))))
  let padded = 1
  while (padded < layer.length) padded *= 2
  while (layer.length < padded) layer.push(new Uint8Array(32))
  while (layer.length > 1) {
    const pairs: Uint8Array[] = []
    for (let i = 0; i < layer.length; i += 2) pairs.push(sha256(concat(layer[i]!, layer[i + 1]!)))
    layer = pairs
  }
  return sha256(concat(new Uint8Array([2]), u64be(items.length), layer[0]!))
}

describe('a list root', () => {
  test('is what the definition says', () => {
    fc.assert(
      fc.property(lists, (items) => {
        expect(toHex(listRoot(items))).toBe(toHex(naiveRoot(items)))
      }),
    )
    for (const count of [0, 1, 2, 3, 4, 5, 8, 9, 1000]) {
      const items = Array.from({ length: count }, (_, i) => u64be(i))
      expect(toHex(listRoot(items))).toBe(toHex(naiveRoot(items)))
    }
  })

  test('tells lists apart that differ in the padding only', () => {
    const item = new Uint8Array(1)
    const roots = [[], [item], [item, item], [item, item, item], [item, item, item, item]].map((l) =>
      toHex(listRoot(l)),
    )
    expect(new Set(roots).size).toBe(roots.length)
  })
})

describe('a list proof', () => {
  test('shows each item at its place, and no other', () => {
    fc.assert(
      fc.property(listsWithPlace, ([items, index]) => {
        const root = listRoot(items)
        const proof = listProof(items, index)
        items.forEach((item, place) => {
          expect(verifyListProof(root, item, proof)).toBe(place === index)
        })
        if (items.length > 1) {
          expect(verifyListProof(root, items[index]!, { ...proof, index: (index + 1) % items.length })).toBe(false)
        }
      }),
    )
  })

  test('with any byte flipped is refused', () => {
    fc.assert(
      fc.property(listsWithPlace, fc.integer({ min: 1, max: 255 }), ([items, index], flip) => {
        const root = listRoot(items)
        const bytes = encodeListProof(listProof(items, index))
        expect(verifyListProof(root, items[index]!, decodeListProof(bytes))).toBe(true)
        for (let at = 0; at < bytes.length; at++) {
          const spoiled = bytes.slice()
          spoiled[at]! ^= flip
          expect(accepts(spoiled, root, items[index]!)).toBe(false)
        }
      }),
      { numRuns: 50 },
    )
  })

  test('for an item, count or root that is not its own is refused', () => {
    const items = [1, 2, 3, 4, 5].map((n) => u64be(n))
    const proof = listProof(items, 4)
    const root = listRoot(items)
    expect(verifyListProof(root, items[4]!, { ...proof, count: 6 })).toBe(false)
    expect(verifyListProof(root, items[4]!, { ...proof, count: 2 ** 60 })).toBe(false)
    expect(verifyListProof(root, items[4]!, { ...proof, siblings: proof.siblings.slice(1) })).toBe(false)
    expect(verifyListProof(root, items[4]!, { ...proof, index: -1 })).toBe(false)
    expect(verifyListProof(root, items[4]!, { ...proof, index: 4.5 })).toBe(false)
    expect(verifyListProof(listRoot(items.slice(1)), items[4]!, proof)).toBe(false)
  })

  test('cannot be made for a place that the list does not have', () => {
    for (const index of [-1, 1, 0.5]) expect(() => listProof([u64be(1)], index)).toThrow(RangeError)
    expect(() => listProof([], 0)).toThrow(RangeError)
  })
})

function accepts(bytes: Uint8Array, root: Uint8Array, item: Uint8Array): boolean {
  try {
    return verifyListProof(root, item, decodeListProof(bytes))
  } catch (error) {
    expect(error).toBeInstanceOf(CodecError)
    return false
  }
}
