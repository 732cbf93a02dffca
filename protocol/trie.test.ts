import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sha256 } from '#sha256'
import { compare, concat, toHex, ZERO_HASH } from './bytes.ts'
import { CodecError } from './errors.ts'
import { bytesOf } from './testing.ts'
import { bitAt, join, leafHash, subtreeOf, subtreeRoot, type TrieEntry, trieRoot } from './trie.ts'
import {
  decodeTrieProof,
  encodeTrieProof,
  type TrieProof,
  trieProof,
  verifyExclusion,
  verifyInclusion,
} from './trie-proof.ts'

// Few different bytes, so that keys share long prefixes: what a random key never does.
const keyBytes = fc.oneof(fc.constantFrom(0, 1, 0x80, 0xff), fc.nat(255))
const keysOf = (length: number) =>
  fc.array(keyBytes, { minLength: length, maxLength: length }).map((k) => Uint8Array.from(k))
const closeKeys = fc.tuple(keysOf(2), fc.nat(2)).map(([tail, at]) => {
  const key = new Uint8Array(32)
  key.set(tail, at * 15)
  return key
})
const keys = fc.oneof(closeKeys, fc.uint8Array({ minLength: 32, maxLength: 32 }))
const entriesOf = (key: fc.Arbitrary<Uint8Array>, least = 0) =>
  fc.uniqueArray(fc.record({ key, valueHash: fc.uint8Array({ minLength: 32, maxLength: 32 }) }), {
    minLength: least,
    maxLength: 12,
    selector: (entry) => toHex(entry.key),
  })

/** The definition, word for word. */
function naiveRoot(entries: readonly TrieEntry[], depth: number): Uint8Array {
  if (entries.length === 0) return new Uint8Array(32)
  if (entries.length === 1) return sha256(concat(new Uint8Array([0]), entries[0]!.key, entries[0]!.valueHash))
  const left = entries.filter((entry) => bitAt(entry.key, depth) === 0)
  const right = entries.filter((entry) => bitAt(entry.key, depth) === 1)
  return sha256(concat(naiveRoot(left, depth + 1), naiveRoot(right, depth + 1)))
}

describe('a trie root', () => {
  test('is what the definition says, in any order of entries, for keys of 32 and of 40 bytes', () => {
    fc.assert(
      fc.property(entriesOf(keys), entriesOf(keysOf(40)), (short, long) => {
        for (const entries of [short, long]) {
          expect(toHex(trieRoot(entries, 0))).toBe(toHex(naiveRoot(entries, 0)))
          expect(toHex(trieRoot([...entries].reverse(), 0))).toBe(toHex(naiveRoot(entries, 0)))
        }
      }),
      { numRuns: 300 },
    )
  })

  test('of nothing is zero, of one leaf that leaf, at any depth', () => {
    const entry = { key: bytesOf(32, 1), valueHash: bytesOf(32, 2) }
    expect(trieRoot([], 5)).toEqual(ZERO_HASH)
    for (const depth of [0, 1, 64]) expect(trieRoot([entry], depth)).toEqual(leafHash(entry.key, entry.valueHash))
  })

  test('of two leaves that part at the last bit hashes every empty side above them', () => {
    const [a, b] = [new Uint8Array(32), new Uint8Array(32)]
    b[31] = 1
    let expected = sha256(concat(leafHash(a, a), leafHash(b, a)))
    for (let depth = 254; depth >= 0; depth--) expected = sha256(concat(expected, ZERO_HASH))
    const entries = [a, b].map((key) => ({ key, valueHash: a }))
    expect(toHex(trieRoot(entries, 0))).toBe(toHex(expected))
  })

  test('does not exist for entries that are no trie', () => {
    const entry = (key: Uint8Array) => ({ key, valueHash: ZERO_HASH })
    const refusedAs = (code: string) => expect.objectContaining({ name: 'TrieError', code })
    const [low, high] = [new Uint8Array(32), new Uint8Array(32).fill(255)]
    expect(() => trieRoot([entry(low), entry(low.slice())], 0)).toThrow(refusedAs('DUPLICATE_KEY'))
    expect(() => trieRoot([entry(low), entry(new Uint8Array(40))], 0)).toThrow(refusedAs('KEY_LENGTH'))
    expect(() => trieRoot([entry(low), entry(high)], 1)).toThrow(refusedAs('OUTSIDE_PREFIX'))
    expect(() => trieProof([entry(low)], high, 1)).toThrow(refusedAs('OUTSIDE_PREFIX'))
  })
})

describe('joined halves', () => {
  test('are the whole', () => {
    fc.assert(
      fc.property(entriesOf(keys), (entries) => {
        const left = entries.filter((entry) => bitAt(entry.key, 0) === 0)
        const right = entries.filter((entry) => bitAt(entry.key, 0) === 1)
        expect(join(subtreeOf(left, 1), subtreeOf(right, 1))).toEqual(subtreeOf(entries, 0))
      }),
      { numRuns: 500 },
    )
  })

  test('of quarters too, in two steps', () => {
    fc.assert(
      fc.property(entriesOf(keys), (entries) => {
        const quarter = (bits: number) => entries.filter(({ key }) => key[0]! >> 6 === bits)
        const [a, b, c, d] = [0, 1, 2, 3].map((bits) => subtreeOf(quarter(bits), 2))
        expect(toHex(subtreeRoot(join(join(a!, b!), join(c!, d!))))).toBe(toHex(trieRoot(entries, 0)))
      }),
    )
  })
})

describe('a trie proof', () => {
  test('shows what is there, and that nothing is where nothing is', () => {
    fc.assert(
      fc.property(entriesOf(keys), keys, (entries, other) => {
        const root = trieRoot(entries, 0)
        for (const { key, valueHash } of entries) {
          const proof = trieProof(entries, key, 0)
          expect(verifyInclusion(root, 0, key, valueHash, proof)).toBe(true)
          expect(verifyInclusion(root, 0, key, flipped(valueHash), proof)).toBe(false)
          expect(verifyExclusion(root, 0, key, proof)).toBe(false)
        }
        const proof = trieProof(entries, other, 0)
        const present = entries.find(({ key }) => compare(key, other) === 0)
        expect(verifyExclusion(root, 0, other, proof)).toBe(present === undefined)
        expect(verifyInclusion(root, 0, other, present?.valueHash ?? ZERO_HASH, proof)).toBe(present !== undefined)
      }),
      { numRuns: 300 },
    )
  })

  test('no proof of one key shows another to be missing', () => {
    fc.assert(
      fc.property(entriesOf(keys, 1), keys, (entries, other) => {
        const root = trieRoot(entries, 0)
        const proof = trieProof(entries, other, 0)
        for (const { key } of entries) expect(verifyExclusion(root, 0, key, proof)).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  test('with any byte flipped is refused, of presence and of absence, from any depth', () => {
    fc.assert(
      fc.property(
        entriesOf(keys, 1),
        keys,
        fc.constantFrom(0, 1, 3),
        fc.integer({ min: 1, max: 255 }),
        (all, k, depth, flip) => {
          const key = k.slice()
          const entries = all.filter((entry) => entry.key[0]! >> (8 - depth) === key[0]! >> (8 - depth))
          const root = trieRoot(entries, depth)
          const value = entries.find((entry) => compare(entry.key, key) === 0)?.valueHash
          const proves = (proof: TrieProof) =>
            value === undefined
              ? verifyExclusion(root, depth, key, proof)
              : verifyInclusion(root, depth, key, value, proof)
          const bytes = encodeTrieProof(trieProof(entries, key, depth))
          expect(proves(decodeTrieProof(bytes))).toBe(true)
          // A path of 250 siblings has 8,500 bytes: of those, every 97th.
          for (let at = 0; at < bytes.length; at += bytes.length > 1000 ? 97 : 1) {
            const spoiled = bytes.slice()
            spoiled[at]! ^= flip
            expect(accepted(spoiled, proves)).toBe(false)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  test('from another depth, of another root, or with a leaf from elsewhere is refused', () => {
    const entries = [0, 64, 128, 192].map((first) => {
      const key = new Uint8Array(32)
      key[0] = first
      return { key, valueHash: bytesOf(32, first) }
    })
    const { key, valueHash } = entries[1]!
    const root = trieRoot(entries, 0)
    const proof = trieProof(entries, key, 0)
    expect(verifyInclusion(root, 0, key, valueHash, proof)).toBe(true)
    expect(verifyInclusion(root, 1, key, valueHash, proof)).toBe(false)
    expect(verifyInclusion(root, 300, key, valueHash, proof)).toBe(false)
    expect(verifyInclusion(trieRoot(entries.slice(1), 0), 0, key, valueHash, proof)).toBe(false)
    const absent = key.slice()
    absent[31] = 1
    expect(verifyExclusion(root, 0, absent, proof)).toBe(true)
    // The leaf of another quarter is in the trie, but not where this key would be.
    expect(verifyExclusion(root, 0, absent, trieProof(entries, entries[2]!.key, 0))).toBe(false)
    expect(verifyExclusion(root, 0, absent.subarray(1), proof)).toBe(false)
  })
})

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  copy[0]! ^= 1
  return copy
}

function accepted(bytes: Uint8Array, proves: (proof: TrieProof) => boolean): boolean {
  try {
    return proves(decodeTrieProof(bytes))
  } catch (error) {
    expect(error).toBeInstanceOf(CodecError)
    return false
  }
}
