import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { equal } from './bytes.ts'
import { encode } from './cbor.ts'
import { decodeExport, encodeExport } from './export-path.ts'
import { verifyRootedExport } from './export-proof.ts'
import { decodeMessagesProof, encodeMessagesProof } from './messages-proof.ts'
import { type ProofSample, proofSamples } from './proof-samples.ts'
import { verifyRootedBlock, verifyRootedMessages, verifyRootedTransaction } from './rooted-block.ts'
import { verifyRootedCell } from './rooted-cell.ts'
import { decodeRootedProof, encodeRootedProof, rootOfProof } from './rooted-proof.ts'
import { ROOT_REALM } from './shard-id.ts'

const { trusted, samples } = proofSamples()
const named = (name: string): ProofSample => {
  const found = samples.find((sample) => sample.name === name)
  if (found === undefined) throw new RangeError(`there is no sample ${name}`)
  return found
}
const invalid = (what: string) => expect.objectContaining({ code: 'PROOF_INVALID', what })
const isRefused = (check: () => unknown): boolean => {
  try {
    check()
    return false
  } catch (error) {
    expect(error).toMatchObject({ code: 'PROOF_INVALID' })
    return true
  }
}

describe.each(samples)('a rooted proof of $name', ({ bytes, check }) => {
  test('holds for the root header that it leads to, and says which that is', () => {
    expect(check(bytes, trusted).root.height).toBe(77)
    expect(equal(rootOfProof(bytes).rootHash, trusted)).toBe(true)
  })

  test('is refused with any byte flipped, cut anywhere, or with more behind it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 255 }), (flip) => {
        for (let at = 0; at < bytes.length; at++) {
          const spoiled = bytes.slice()
          spoiled[at]! ^= flip
          expect(isRefused(() => check(spoiled, trusted))).toBe(true)
        }
      }),
      { numRuns: 5 },
    )
    for (let length = 0; length < bytes.length; length += 7)
      expect(isRefused(() => check(bytes.subarray(0, length), trusted))).toBe(true)
    expect(isRefused(() => check(Uint8Array.of(...bytes, 0), trusted))).toBe(true)
  })

  test('is refused for another root header', () => {
    expect(() => check(bytes, new Uint8Array(32))).toThrow(invalid('ROOT'))
  })

  test('is refused as an answer to any other question', () => {
    for (const other of samples) {
      if (other.bytes === bytes) continue
      expect(isRefused(() => other.check(bytes, trusted))).toBe(true)
    }
  })
})

describe('what a proof is about', () => {
  const cell = named('a cell that does not exist')
  const id = cell.about.id as Uint8Array

  test('is the shard that the cell belongs to: others would truthfully say that it is not there', () => {
    expect(verifyRootedCell(cell.bytes, { realm: 0, id }, trusted).cell).toBeNull()
    expect(() => verifyRootedCell(cell.bytes, { realm: 1, id }, trusted)).toThrow(invalid('SUBJECT'))
    expect(() => verifyRootedCell(cell.bytes, { realm: ROOT_REALM, id }, trusted)).toThrow(invalid('SUBJECT'))
    // A path of the other half of the realm.
    const others = Array.from({ length: 40 }, (_, seed) => new Uint8Array(32).fill(seed))
    const refusals = others.filter((other) =>
      isRefused(() => verifyRootedCell(cell.bytes, { realm: 0, id: other }, trusted)),
    )
    expect(refusals.length).toBeGreaterThan(10)
    // The same place in a trie may be empty for several cells, but only for those of the shard.
    expect(() => verifyRootedCell(named('a cell of the root chain').bytes, { realm: 0, id }, trusted)).toThrow(
      invalid('SUBJECT'),
    )
  })

  test('is the block, the transaction, the receiver and the key that were asked for', () => {
    const block = named('a block').bytes
    expect(() => verifyRootedBlock(block, { shard: '0:0', height: 11 }, trusted)).toThrow(invalid('SUBJECT'))
    expect(() => verifyRootedBlock(block, { shard: '0:1', height: 12 }, trusted)).toThrow(invalid('SUBJECT'))
    const transaction = named('a transaction').bytes
    expect(() => verifyRootedTransaction(transaction, new Uint8Array(32), trusted)).toThrow(invalid('SUBJECT'))
    const messages = named('all messages to a shard').bytes
    const at = { shard: '0:0', height: 12 }
    expect(verifyRootedMessages(messages, at, '0:1', trusted).items).toHaveLength(3)
    for (const to of ['0:', '0:0', '0:10', '1:1', 'root'])
      expect(() => verifyRootedMessages(messages, at, to, trusted)).toThrow(invalid('CONTENT'))
    expect(() => verifyRootedMessages(messages, { ...at, height: 13 }, '0:1', trusted)).toThrow(invalid('SUBJECT'))
    expect(verifyRootedExport(named('an export').bytes, 'shard/0:1', trusted).value).toEqual({ from: 2, parent: null })
    expect(() => verifyRootedExport(named('an export').bytes, 'shard/0:0', trusted)).toThrow(invalid('CONTENT'))
    expect(verifyRootedExport(named('a key without an export').bytes, 'shard/9:', trusted).value).toBeUndefined()
  })
})

describe('messages that are left out', () => {
  const { bytes, check } = named('all messages to a shard')
  const { proof, listed } = decodeRootedProof(bytes)
  const messages = decodeMessagesProof(proof)
  const forged = (part: Partial<typeof messages>) =>
    encodeRootedProof({ proof: encodeMessagesProof({ ...messages, ...part }), listed })

  test('at either end, or in the middle, are missed', () => {
    const { items, before, range } = messages
    expect(() => check(forged({ items: items.slice(1) }), trusted)).toThrow(invalid('CONTENT'))
    expect(() => check(forged({ items: items.slice(0, -1) }), trusted)).toThrow(invalid('CONTENT'))
    expect(() => check(forged({ items: items.toSpliced(1, 1) }), trusted)).toThrow(invalid('CONTENT'))
    expect(() => check(forged({ before: null }), trusted)).toThrow(invalid('CONTENT'))
    // The list's own first item as the neighbour, and those between hidden.
    expect(() => check(forged({ items: [], after: items[0]! }), trusted)).toThrow(invalid('CONTENT'))
    expect(() => check(forged({ before: items[0]!, items: items.slice(1) }), trusted)).toThrow(invalid('CONTENT'))
    const shorter = { ...range, count: range.count - 1 }
    expect(() => check(forged({ items: items.slice(0, -1), range: shorter }), trusted)).toThrow(invalid('CONTENT'))
    expect(before).not.toBeNull()
  })
})

test('the record of an export has one form', () => {
  const record = encodeExport('a', encode([1]))
  expect(decodeExport(record)).toEqual({ key: 'a', value: [1] })
  expect(() => decodeExport(encode(['a', 1, 2]))).toThrow(expect.objectContaining({ code: 'MALFORMED' }))
})
