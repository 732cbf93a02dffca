import {
  childHeader,
  encodeHeader,
  encodeSplitProof,
  firstHeader,
  subtreeOf,
  subtreeRoot,
  type TrieEntry,
  toHex,
  ZERO_HASH,
} from '../../../protocol/index.ts'
import { filler, type VectorFile } from '../vector.ts'

const entry = (first: number, seed: number): TrieEntry => ({
  key: filler(32, seed).fill(first, 0, 1),
  valueHash: filler(32, seed + 1),
})
const tries: readonly (readonly [string, readonly TrieEntry[]])[] = [
  ['nothing', []],
  ['one cell, which the proof opens', [entry(0x40, 1)]],
  ['two cells in one half', [entry(0x90, 1), entry(0xf0, 3)]],
  ['cells in both halves', [entry(0x10, 1), entry(0x20, 3), entry(0xf0, 5)]],
]

export function splitVectors(): VectorFile {
  return {
    format: 'split',
    about:
      'The split of shard 0: into 0:0 and 0:1. A proof is CBOR[parent, left, right, cell, deferred]: the headers of the last block of the parent and of the first ones of its children, and null or the only leaf as [key, valueHash]. Each root of the parent is the join (see trie.json) of the roots of the children. A child has the height of its parent + 1, the parent as prevHash, its rootCursor, arrivals, basePrice, congestion and time, and no transactions.',
    cases: tries.map(([name, entries]) => {
      const parent = {
        ...firstHeader('0:', { rootCursor: 9, basePrice: 2n, time: 1_750_000_000_000 }),
        height: 5,
        arrivals: 3,
        cellsRoot: subtreeRoot(subtreeOf(entries, 0)),
      }
      const child = (bit: 0 | 1): Uint8Array => {
        const half = entries.filter(({ key }) => key[0]! >> 7 === bit)
        const roots = { cellsRoot: subtreeRoot(subtreeOf(half, 1)), deferredRoot: ZERO_HASH }
        return encodeHeader(childHeader(parent, bit, roots))
      }
      const children = [child(0), child(1)] as const
      const [only] = entries
      const opened = entries.length === 1 && only !== undefined ? { cell: only } : {}
      const proof = { parent: encodeHeader(parent), children, ...opened }
      return {
        name,
        entries: entries.map((leaf) => ({ key: toHex(leaf.key), valueHash: toHex(leaf.valueHash) })),
        parent: toHex(proof.parent),
        children: children.map(toHex),
        proof: toHex(encodeSplitProof(proof)),
      }
    }),
  }
}
