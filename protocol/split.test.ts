import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeHeader } from './header.ts'
import { sha256, u64be } from './index.ts'
import { childHeader, encodeSplitProof, firstHeader, verifySplit } from './split.ts'
import { bitAt, type Subtree, subtreeOf, subtreeRoot, type TrieEntry } from './trie.ts'

const entry = (n: number, bytes: number): TrieEntry => {
  const key = new Uint8Array(bytes)
  key.set(sha256(u64be(n)))
  return { key, valueHash: sha256(key) }
}

/** The proof of the split of a shard of everything, whose tries have these entries. */
function split(cells: readonly TrieEntry[], deferred: readonly TrieEntry[]) {
  const halves = (entries: readonly TrieEntry[]) => {
    const half = (bit: 0 | 1): Subtree =>
      subtreeOf(
        entries.filter(({ key }) => bitAt(key, 0) === bit),
        1,
      )
    return [subtreeRoot(half(0)), subtreeRoot(half(1))] as const
  }
  const whole = (entries: readonly TrieEntry[]) => subtreeRoot(subtreeOf(entries, 0))
  const parent = {
    ...firstHeader('7:', { rootCursor: 12, basePrice: 3n, time: 99 }),
    height: 41,
    arrivals: 8,
    cellsRoot: whole(cells),
    deferredRoot: whole(deferred),
  }
  const roots = { cells: halves(cells), deferred: halves(deferred) }
  const child = (bit: 0 | 1) =>
    childHeader(parent, bit, { cellsRoot: roots.cells[bit], deferredRoot: roots.deferred[bit] })
  const [cell] = cells
  const [message] = deferred
  return {
    parent: encodeHeader(parent),
    children: [encodeHeader(child(0)), encodeHeader(child(1))] as const,
    ...(cells.length === 1 && cell && { cell }),
    ...(deferred.length === 1 && message && { deferred: message }),
  }
}

const numbers = fc.uniqueArray(fc.nat({ max: 30 }), { maxLength: 5 })

describe('the proof of a split', () => {
  it('holds for whatever the shard held', () => {
    fc.assert(
      fc.property(numbers, numbers, (cells, deferred) => {
        const proof = split(
          cells.map((n) => entry(n, 32)),
          deferred.map((n) => entry(n, 40)),
        )
        const proven = verifySplit(encodeSplitProof(proof))
        expect(proven?.parent).toMatchObject({ shard: '7:', height: 41 })
        expect(proven?.children.map(({ shard, height }) => [shard, height])).toEqual([
          ['7:0', 42],
          ['7:1', 42],
        ])
      }),
      { numRuns: 300 },
    )
  })

  it('is refused with any byte changed', () => {
    for (const cells of [[], [1], [1, 2, 3]]) {
      const bytes = encodeSplitProof(
        split(
          cells.map((n) => entry(n, 32)),
          [entry(1, 40)],
        ),
      )
      const good = verifySplit(bytes)
      expect(good).toBeDefined()
      for (let at = 0; at < bytes.length; at++) {
        const spoiled = bytes.slice()
        spoiled[at]! ^= 1 << (at & 7)
        const found = verifySplit(spoiled)
        // A few fields are in no relation to the others: their header is another one then, which no root block lists.
        if (found !== undefined) expect(found.parentHash).not.toEqual(good?.parentHash)
      }
    }
  })

  it('is refused if one half is passed on whole, as if the other had been empty', () => {
    const three = [1, 2, 3].map((n) => entry(n, 32))
    const honest = split(three, [])
    const whole = subtreeRoot(subtreeOf(three, 0))
    const parent = {
      ...firstHeader('7:', { rootCursor: 12, basePrice: 3n, time: 99 }),
      height: 41,
      arrivals: 8,
      cellsRoot: whole,
    }
    const none = new Uint8Array(32)
    for (const given of [
      [none, whole],
      [whole, none],
    ] as const) {
      const children = [
        encodeHeader(childHeader(parent, 0, { cellsRoot: given[0], deferredRoot: none })),
        encodeHeader(childHeader(parent, 1, { cellsRoot: given[1], deferredRoot: none })),
      ] as const
      expect(verifySplit(encodeSplitProof({ ...honest, children }))).toBeUndefined()
      expect(verifySplit(encodeSplitProof({ ...honest, children, cell: entry(1, 32) }))).toBeUndefined()
    }
  })

  it('is refused if a lone cell goes to the half that it does not belong to', () => {
    const one = entry(1, 32)
    const proof = split([one], [])
    const parent = {
      ...firstHeader('7:', { rootCursor: 12, basePrice: 3n, time: 99 }),
      height: 41,
      arrivals: 8,
      cellsRoot: subtreeRoot(subtreeOf([one], 0)),
    }
    const roots = [parent.cellsRoot, new Uint8Array(32)]
    if (bitAt(one.key, 0) === 0) roots.reverse()
    const children = [
      encodeHeader(childHeader(parent, 0, { cellsRoot: roots[0]!, deferredRoot: new Uint8Array(32) })),
      encodeHeader(childHeader(parent, 1, { cellsRoot: roots[1]!, deferredRoot: new Uint8Array(32) })),
    ] as const
    expect(verifySplit(encodeSplitProof(proof))).toBeDefined()
    expect(verifySplit(encodeSplitProof({ ...proof, children }))).toBeUndefined()
  })
})
