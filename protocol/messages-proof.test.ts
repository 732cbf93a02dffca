import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compare } from './bytes.ts'
import { encodeHeader } from './header.ts'
import { listRoot } from './list.ts'
import { type ListRangeProof, listRangeProof } from './list-range.ts'
import { encodeOutItem, type OutItem } from './message.ts'
import { decodeMessagesProof, encodeMessagesProof, messagesProof, provenMessages } from './messages-proof.ts'
import { parseShardId, shardHolds } from './shard-id.ts'
import { hashes, messages } from './testing.ts'

// Paths that share long prefixes, so that the ends of a range are met from both sides.
const paths = fc.oneof(
  hashes,
  fc.tuple(fc.constantFrom(0, 0x3f, 0x40, 0x7f, 0x80, 0xff), fc.constantFrom(0, 0xff)).map(([first, rest]) => {
    const path = new Uint8Array(32).fill(rest)
    path[0] = first
    return path
  }),
)
const outItems: fc.Arbitrary<OutItem[]> = fc
  .array(fc.record({ realm: fc.constantFrom(0, 1, 0xffffffff), destPath: paths, message: messages }), { maxLength: 12 })
  .map((items) =>
    items
      .map((item, index) => ({ ...item, index }))
      .sort((a, b) => a.realm - b.realm || compare(a.destPath, b.destPath) || a.index - b.index),
  )
const shards = fc
  .oneof(
    fc.constant('root'),
    fc
      .tuple(fc.constantFrom(0, 1, 2), fc.string({ unit: fc.constantFrom('0', '1'), maxLength: 9 }))
      .map(([realm, bits]) => `${realm}:${bits}`),
  )
  .map(parseShardId)

const header = encodeHeader({
  shard: '0:',
  height: 1,
  prevHash: new Uint8Array(32),
  rootCursor: 1,
  txRoot: new Uint8Array(32),
  outRoot: new Uint8Array(32),
  cellsRoot: new Uint8Array(32),
  deferredRoot: new Uint8Array(32),
  arrivals: 0,
  basePrice: 1n,
  bodyHash: new Uint8Array(32),
  txCount: 0,
  txWeight: 0n,
  weight: 0n,
  congestion: 0,
  time: 0,
})

describe('a proof of messages', () => {
  test('shows all that go to a shard, in order, and no others', () => {
    fc.assert(
      fc.property(outItems, shards, (items, to) => {
        const out = items.map(encodeOutItem)
        const proof = decodeMessagesProof(encodeMessagesProof(messagesProof(header, out, to)))
        const expected = items.filter(({ realm, destPath }) => shardHolds(to, realm, destPath))
        expect(provenMessages(proof, listRoot(out), to)?.map(encodeOutItem)).toEqual(expected.map(encodeOutItem))
      }),
      { numRuns: 300 },
    )
  })

  test('of any other run of the list is refused, whatever neighbours it names', () => {
    fc.assert(
      fc.property(
        outItems,
        shards,
        fc.nat(12),
        fc.nat(12),
        fc.boolean(),
        fc.boolean(),
        (items, to, from, length, hasBefore, hasAfter) => {
          const out = items.map(encodeOutItem)
          const run = out.slice(from, from + length)
          if (run.length === 0) return
          const range: ListRangeProof = listRangeProof(out, from, run.length)
          const proof = {
            header,
            before: hasBefore ? (run[0] ?? null) : null,
            items: run.slice(hasBefore ? 1 : 0, hasAfter ? -1 : undefined),
            after: hasAfter && run.length > (hasBefore ? 1 : 0) ? (run.at(-1) ?? null) : null,
            range,
          }
          const proven = provenMessages(proof, listRoot(out), to)
          const expected = items.filter(({ realm, destPath }) => shardHolds(to, realm, destPath))
          // What is accepted is the truth: all of them, even if it was made in another way than ours.
          if (proven !== undefined) expect(proven.map(encodeOutItem)).toEqual(expected.map(encodeOutItem))
        },
      ),
      { numRuns: 1000 },
    )
  })
})
