import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compare, sha256, ZERO_HASH } from '../../../protocol/index.ts'
import { type LeafChange, Trie } from './trie.ts'
import { copySubtree } from './trie-arrays.ts'

const bit = (key: Uint8Array, depth: number): number => (key[depth >> 3]! >> (7 - (depth & 7))) & 1

/** The definition, word for word: empty is zeros, one leaf is itself, else the hash of both halves. */
function rootOf(leaves: readonly (readonly [Uint8Array, Uint8Array])[], depth: number): Uint8Array {
  if (leaves.length === 0) return ZERO_HASH
  if (leaves.length === 1) return leaves[0]![1]
  const left = rootOf(
    leaves.filter(([key]) => bit(key, depth) === 0),
    depth + 1,
  )
  const right = rootOf(
    leaves.filter(([key]) => bit(key, depth) === 1),
    depth + 1,
  )
  return sha256(Buffer.concat([left, right]))
}

// Few distinct keys, close to each other, so that leaves are replaced, split, removed and pulled up.
const key = fc.tuple(fc.constantFrom(0x00, 0x01, 0x80, 0xff), fc.integer({ min: 0, max: 7 })).map(([a, b]) => {
  const bytes = new Uint8Array(32)
  bytes[0] = a
  bytes[31] = b
  return bytes
})
const change = fc.record({ key, leaf: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 })) })
const batch = fc.uniqueArray(change, { selector: (entry) => Buffer.from(entry.key).toString('hex'), maxLength: 12 })

const byKey = (a: LeafChange, b: LeafChange): number => compare(a.key, b.key)
const isLast = ({ key }: LeafChange, i: number, all: readonly LeafChange[]): boolean =>
  i + 1 === all.length || compare(key, all[i + 1]!.key) !== 0

describe('the trie of a shard', () => {
  it('has the root that the definition gives, after any batches of changes', () => {
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 8 }), (batches) => {
        const trie = new Trie({ keyBytes: 32, depth: 0 })
        const model = new Map<string, readonly [Uint8Array, Uint8Array]>()
        for (const changes of batches) {
          const sorted: LeafChange[] = [...changes].sort((a, b) => compare(a.key, b.key))
          trie.update(sorted)
          for (const entry of sorted) {
            const name = Buffer.from(entry.key).toString('hex')
            if (entry.leaf === null) model.delete(name)
            else model.set(name, [entry.key, entry.leaf])
          }
          expect(trie.root).toEqual(new Uint8Array(rootOf([...model.values()], 0)))
          expect(trie.size).toBe(model.size)
          for (const entry of changes) expect(trie.has(entry.key)).toBe(entry.leaf !== null)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('splits into halves that go on by themselves, as if they had been apart from the start', () => {
    const spread = (n: number): Uint8Array => sha256(Uint8Array.of(n))
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { maxLength: 60 }),
        fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { maxLength: 20 }),
        fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { maxLength: 20 }),
        (present, removed, added) => {
          const change = (numbers: readonly number[], leaf: boolean): LeafChange[] =>
            numbers
              .map((n) => ({ key: spread(n), leaf: leaf ? sha256(spread(n)) : null }))
              .sort((a, b) => compare(a.key, b.key))
          const trie = new Trie({ keyBytes: 32, depth: 0 })
          trie.update(change(present, true))
          trie.update(change(removed, false))
          const model = new Map(
            change(
              present.filter((n) => !removed.includes(n)),
              true,
            ).map(({ key: path, leaf }) => [Buffer.from(path).toString('hex'), [path, leaf!] as const]),
          )
          const halves = trie.split().map((state) => Trie.of(structuredClone(state)))
          for (const [side, half] of halves.entries()) {
            const own = [...model.values()].filter(([path]) => bit(path, 0) === side)
            expect(half.root).toEqual(new Uint8Array(rootOf(own, 1)))
            expect(half.size).toBe(own.length)
            const more = change(added, true).filter(({ key: path }) => bit(path, 0) === side)
            half.update(more)
            const fresh = new Trie({ keyBytes: 32, depth: 1 })
            fresh.update([...own.map(([path, leaf]) => ({ key: path, leaf })), ...more].sort(byKey).filter(isLast))
            expect(half.size).toBe(fresh.size)
            for (const { key: path } of change(added, true)) expect(half.path(path)).toEqual(fresh.path(path))
            const after = new Map(own.map((entry) => [Buffer.from(entry[0]).toString('hex'), entry]))
            for (const { key: path, leaf } of more) after.set(Buffer.from(path).toString('hex'), [path, leaf!])
            expect(half.root).toEqual(new Uint8Array(rootOf([...after.values()], 1)))
            half.update([...after.values()].map(([path]) => ({ key: path, leaf: null })).sort(byKey))
            expect([half.size, half.root]).toEqual([0, ZERO_HASH])
          }
          // The trie itself is as it was.
          expect(trie.root).toEqual(new Uint8Array(rootOf([...model.values()], 0)))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('is split without a copy, and its halves have no more memory than they need', () => {
    const trie = new Trie({ keyBytes: 32, depth: 0 })
    const changes = Array.from({ length: 3000 }, (_, i) => sha256(Buffer.from(`cell ${i}`)))
      .map((path) => ({ key: path, leaf: sha256(path) }))
      .sort(byKey)
    trie.update(changes)
    // What is removed leaves gaps.
    trie.update(changes.filter((_, i) => i % 3 > 0).map(({ key: path }) => ({ key: path, leaf: null })))
    const states = trie.split()
    expect(states[0].hashes.buffer).toBe(states[1].hashes.buffer)
    for (const state of states) {
      const { leaves, nodes, hashes, left, right, keys } = copySubtree(state)
      const own = changes.filter(({ key: path }, i) => i % 3 === 0 && bit(path, 0) === states.indexOf(state))
      expect(leaves).toBe(own.length)
      expect([hashes.length, left.length, right.length, keys.length]).toEqual([32 * nodes, nodes, nodes, 32 * leaves])
      // Inner nodes with one side only are few.
      expect(nodes).toBeLessThan(3 * leaves)
      expect(Trie.of(state).root).toEqual(state.rootHash)
    }
  })

  it('gives the siblings on the way to a key, and whose leaf stands at its end', () => {
    const trie = new Trie({ keyBytes: 32, depth: 0 })
    const keys = Array.from({ length: 100 }, (_, i) => sha256(Uint8Array.of(i)))
    const changes = keys.map((entry) => ({ key: entry, leaf: sha256(entry) })).sort((a, b) => compare(a.key, b.key))
    trie.update(changes)
    for (const { key: target, leaf } of changes) {
      const { siblings, end } = trie.path(target)
      expect(end).toEqual({ key: target, leaf })
      let hash = leaf
      for (let depth = siblings.length - 1; depth >= 0; depth--) {
        const pair = bit(target, depth) === 0 ? [hash, siblings[depth]!] : [siblings[depth]!, hash]
        hash = sha256(Buffer.concat(pair))
      }
      expect(hash).toEqual(trie.root)
    }
  })

  it('grows to many cells and shrinks to nothing', () => {
    const trie = new Trie({ keyBytes: 32, depth: 1 })
    const changes = Array.from({ length: 5000 }, (_, i) => {
      const hash = sha256(Buffer.from(`cell ${i}`))
      hash[0] = hash[0]! & 0x7f
      return { key: hash, leaf: sha256(hash) }
    }).sort((a, b) => compare(a.key, b.key))
    trie.update(changes)
    expect(trie.root).toEqual(
      new Uint8Array(
        rootOf(
          changes.map((entry) => [entry.key, entry.leaf] as const),
          1,
        ),
      ),
    )
    trie.update(changes.map((entry) => ({ key: entry.key, leaf: null })))
    expect(trie.size).toBe(0)
    expect(trie.root).toEqual(ZERO_HASH)
  })
})
