import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compare, leafHash, trieRoot, ZERO_HASH } from '../../../protocol/index.ts'
import { SortedTrie } from './sorted-trie.ts'

const rootOf = (keys: readonly Uint8Array[], depth: number): Uint8Array => {
  const trie = new SortedTrie(depth)
  for (const key of keys) expect(trie.add(key, leafHash(key, key.slice(0, 32)))).toBe(true)
  return trie.root()
}

describe('a trie whose leaves come sorted', () => {
  it('has the root that the definition gives', () => {
    const lengths = fc.constantFrom(32, 40)
    // Few different bytes make long common prefixes.
    const key = (length: number) =>
      fc.array(fc.oneof(fc.constantFrom(0, 1, 128, 255), fc.nat(255)), { minLength: length, maxLength: length })
    const sets = lengths.chain((length) =>
      fc.tuple(fc.uniqueArray(key(length), { maxLength: 60, selector: String }), fc.nat(9)),
    )
    fc.assert(
      fc.property(sets, ([found, depth]) => {
        const keys = found.map((bytes) => Uint8Array.from(bytes)).sort(compare)
        for (const key of keys) {
          // All keys of a shard begin with its prefix: here with ones.
          for (let i = 0; i < depth; i++) key[i >> 3] = (key[i >> 3] ?? 0) | (128 >> (i & 7))
        }
        const unique = [...new Map(keys.map((key) => [String(key), key])).values()].sort(compare)
        const expected = trieRoot(
          unique.map((key) => ({ key, valueHash: key.slice(0, 32) })),
          depth,
        )
        expect(rootOf(unique, depth)).toEqual(expected)
      }),
      { numRuns: 300 },
    )
  })

  it('is zero without leaves, and takes none out of order', () => {
    expect(new SortedTrie(0).root()).toEqual(ZERO_HASH)
    const trie = new SortedTrie(0)
    const low = new Uint8Array(32)
    const high = new Uint8Array(32).fill(1)
    expect(trie.add(high, high)).toBe(true)
    expect(trie.add(high, high)).toBe(false)
    expect(trie.add(low, low)).toBe(false)
  })
})
