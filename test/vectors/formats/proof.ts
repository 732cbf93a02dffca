import { encodeListRange, listRangeProof, listRoot, toHex, u64be } from '../../../protocol/index.ts'
import { proofSamples } from '../../../protocol/proof-samples.ts'
import { json, refusal, type VectorFile } from '../vector.ts'

export function proofVectors(): VectorFile {
  const { root, trusted, samples } = proofSamples()
  const items = Array.from({ length: 5 }, (_, i) => u64be(i))
  const ranges = [
    [0, 5],
    [0, 1],
    [1, 3],
    [4, 1],
  ] as const
  return {
    format: 'proof',
    about:
      'A rooted proof is CBOR[proof, root header | null, list proof | null], byte strings: the proof begins with a header; the list proof shows CBOR[shard, height, headerHash] in the headersRoot of the root header, whose hash has to be the trusted one; both are null where the header is that of the root block itself. Proofs: block [header]; transaction [header, receipt, list proof]; cell [header, record | null, trie proof]; export [root header, CBOR[key, value] | null, trie proof from depth 0 at SHA-256("deaios/export/1\\0" || key)]; messages [header, item before | null, items, item behind | null, range proof] where the neighbours are part of the range. A range proof is CBOR[count, first, siblings]: layer by layer from the leaves up, the left sibling of the run (if its first place is odd) before the right one (if its last is even).',
    cases: [
      ...samples.map(({ name, about, bytes, check }) => {
        check(bytes, trusted)
        return { name, about: json(about), root: toHex(root), trusted: toHex(trusted), bytes: toHex(bytes) }
      }),
      ...ranges.map(([first, length]) => ({
        name: `${length} of 5 items from ${first} on`,
        items: items.map(toHex),
        root: toHex(listRoot(items)),
        bytes: toHex(encodeListRange(listRangeProof(items, first, length))),
      })),
    ],
    refused: samples
      .slice(0, 1)
      .map(({ bytes, check }) =>
        refusal('a block whose root header is another', bytes, (forged) => check(forged, new Uint8Array(32))),
      ),
  }
}
