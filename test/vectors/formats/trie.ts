import {
  concat,
  encodeTrieProof,
  join,
  subtreeOf,
  subtreeRoot,
  type TrieEntry,
  toHex,
  trieProof,
  trieRoot,
  u64be,
} from '../../../protocol/index.ts'
import { filler, type VectorFile } from '../vector.ts'

function key(...start: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(32)
  bytes.set(start)
  return bytes
}

const entry = (path: Uint8Array, seed: number): TrieEntry => ({ key: path, valueHash: filler(32, seed) })
const close = entry(key(0x40, 0, 1), 2)
const tries: readonly (readonly [string, number, readonly TrieEntry[]])[] = [
  ['nothing', 0, []],
  ['one leaf, pulled up', 0, [entry(key(0x40), 1)]],
  ['two leaves that share 23 bits', 0, [entry(key(0x40), 1), close]],
  ['five leaves', 0, [entry(key(0x40), 1), close, entry(key(0x80), 3), entry(key(0xc0), 4), entry(key(0xff), 5)]],
  ['a shard of prefix 01', 2, [entry(key(0x40), 1), close, entry(key(0x7f), 3)]],
  [
    'deferred messages: path and u64 arrival',
    0,
    [1, 300].map((arrival) => entry(concat(key(0x40), u64be(arrival)), arrival)),
  ],
]

export function trieVectors(): VectorFile {
  return {
    format: 'trie',
    about:
      'A subtree without a leaf is 32 zero bytes, with one leaf SHA-256(0x00 || key || valueHash), with more SHA-256(left || right), the side chosen by the bits of the key from the highest of its first byte on; the top is at the given depth. A proof is CBOR[siblings from the top down, null or the leaf where the path ends as [key, valueHash]]. The join of two halves: of nothing and nothing is nothing, of nothing and a lone leaf is the leaf, else SHA-256(left || right).',
    cases: tries.map(([name, depth, entries]) => {
      const missing = entries[0]?.key.slice() ?? key(0x40)
      missing[31]! ^= 1
      const halves = [0, 1].map((bit) =>
        subtreeOf(
          entries.filter(({ key }) => ((key[depth >> 3]! >> (7 - (depth & 7))) & 1) === bit),
          depth + 1,
        ),
      )
      return {
        name,
        depth,
        entries: entries.map((leaf) => ({ key: toHex(leaf.key), valueHash: toHex(leaf.valueHash) })),
        root: toHex(trieRoot(entries, depth)),
        halves: halves.map((half) => toHex(subtreeRoot(half))),
        joined: toHex(subtreeRoot(join(halves[0]!, halves[1]!))),
        inclusions: entries.map((leaf) => toHex(encodeTrieProof(trieProof(entries, leaf.key, depth)))),
        exclusion: { key: toHex(missing), proof: toHex(encodeTrieProof(trieProof(entries, missing, depth))) },
      }
    }),
  }
}
