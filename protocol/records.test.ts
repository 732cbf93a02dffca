import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sha256 } from '#sha256'
import { bodyHash, decodeBody, encodeBody } from './body.ts'
import { concat, toHex } from './bytes.ts'
import { encode } from './cbor.ts'
import { cellId, cellPath, decodeCell, encodeCell, valueHash } from './cell.ts'
import { domain } from './domain.ts'
import { CodecError } from './errors.ts'
import { decodeGenesis, encodeGenesis, type Genesis, networkId } from './genesis.ts'
import { decodeHeader, encodeHeader, headerHash } from './header.ts'
import { listRoot } from './list.ts'
import { decodeMessage, decodeOutItem, encodeMessage, encodeOutItem } from './message.ts'
import { decodeReceipt, encodeReceipt } from './receipt.ts'
import {
  decodeRootHeader,
  decodeVotes,
  encodeCommittedHeader,
  encodeRootHeader,
  encodeVotes,
  headersRoot,
  rootHeaderHash,
  votingBytes,
} from './root.ts'
import {
  amounts,
  bytesOf,
  cborMaps,
  cborValues,
  hashes,
  messages,
  names,
  realms,
  transactionFields,
  uints,
} from './testing.ts'
import { decodeTransaction } from './transaction-reader.ts'
import { encodeTransaction, encodeUnsigned } from './transaction-writer.ts'
import type { CborValue } from './value.ts'

const cells = fc.record({ id: hashes, owner: names, balance: amounts, value: cborValues })
const headers = fc.record({
  shard: names,
  height: uints,
  prevHash: hashes,
  rootCursor: uints,
  txRoot: hashes,
  outRoot: hashes,
  cellsRoot: hashes,
  deferredRoot: hashes,
  arrivals: uints,
  basePrice: amounts,
  bodyHash: hashes,
  txCount: uints,
  txWeight: amounts,
  weight: amounts,
  congestion: uints,
  time: uints,
})
const rootHeaders = fc.record({
  height: uints,
  prevHash: hashes,
  time: uints,
  headersRoot: hashes,
  cellsRoot: hashes,
  outRoot: hashes,
  exportsRoot: hashes,
  reveal: hashes,
  random: hashes,
  anchor: hashes,
})
const outItems = fc.record({ realm: realms, destPath: hashes, index: uints, message: messages })
const actionErrors = fc.record({
  action: fc.nat(255),
  code: names,
  message: fc.string({ maxLength: 20, unit: 'grapheme-ascii' }),
})
const receipts = fc.record({
  id: hashes,
  statuses: fc.uint8Array({ max: 2, maxLength: 8 }),
  fee: amounts,
  errors: fc.array(actionErrors, { maxLength: 3 }),
})
const genesisDocuments: fc.Arbitrary<Genesis> = fc
  .record({
    name: names,
    kind: fc.constantFrom('development' as const, 'production' as const),
    time: uints,
    validators: fc.uniqueArray(hashes, { minLength: 1, maxLength: 4, selector: toHex }),
    anchor: hashes,
    params: cborMaps,
    shards: fc.subarray(['0:', '0:0', '0:01', '7:111', 'root']),
    cells: fc.array(fc.record({ realm: realms, id: hashes, owner: names, balance: amounts, value: cborValues }), {
      maxLength: 3,
    }),
    modules: fc.array(fc.record({ name: names, version: uints, activeFrom: uints }), { maxLength: 3 }),
  })
  .map((document) => ({ ...document, quorum: document.validators.length }))

/** Writes, reads, writes again; then spoils a byte, which is refused by a code or read as it is spelled. */
function comesBack<T>(values: fc.Arbitrary<T>, write: (value: T) => Uint8Array, read: (bytes: Uint8Array) => T): void {
  fc.assert(
    fc.property(values, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, flip) => {
      const bytes = write(value)
      expect(read(bytes)).toEqual(value)
      expect(toHex(write(read(bytes)))).toBe(toHex(bytes))
      bytes[at % bytes.length]! ^= flip
      try {
        expect(toHex(write(read(bytes)))).toBe(toHex(bytes))
      } catch (error) {
        expect(error).toBeInstanceOf(CodecError)
      }
    }),
    { numRuns: 300 },
  )
}

describe('every record comes back, and spoiled it is refused or stays what it says', () => {
  test('cell', () => comesBack(cells, encodeCell, decodeCell))
  test('message', () => comesBack(messages, encodeMessage, decodeMessage))
  test('out item', () => comesBack(outItems, encodeOutItem, decodeOutItem))
  test('receipt', () => comesBack(receipts, encodeReceipt, decodeReceipt))
  test('header', () => comesBack(headers, encodeHeader, decodeHeader))
  test('root header', () => comesBack(rootHeaders, encodeRootHeader, decodeRootHeader))
  test('genesis', () => comesBack(genesisDocuments, encodeGenesis, decodeGenesis))
})

describe('records are the CBOR that the design prints', () => {
  test('cell, its hash, its id and its path', () => {
    fc.assert(
      fc.property(cells, (cell) => {
        const record = encode([cell.id, cell.owner, cell.balance, cell.value])
        expect(toHex(encodeCell(cell))).toBe(toHex(record))
        expect(toHex(valueHash(record))).toBe(toHex(sha256(record)))
        expect(toHex(cellPath(cell.id))).toBe(toHex(sha256(concat(domain('path'), cell.id))))
        const preimage = concat(domain('cell'), encode([cell.owner, cell.id, record]))
        expect(toHex(cellId(cell.owner, cell.id, record))).toBe(toHex(sha256(preimage)))
      }),
    )
  })

  test('message and out item', () => {
    fc.assert(
      fc.property(outItems, (item) => {
        const m = item.message
        const message: CborValue = [
          m.kind === 'call' ? 0 : 1,
          m.origin,
          m.action,
          m.from,
          m.fromRealm,
          m.module,
          m.to,
          m.realm,
          m.call,
          m.args,
          m.value,
          m.payer,
          m.payerRealm,
          m.code,
        ]
        expect(toHex(encodeMessage(m))).toBe(toHex(encode(message)))
        expect(toHex(encodeOutItem(item))).toBe(toHex(encode([item.realm, item.destPath, item.index, message])))
      }),
    )
  })

  test('header, root header and their hashes', () => {
    // The fields are listed above in the order of the design.
    fc.assert(
      fc.property(headers, rootHeaders, (header, rootHeader) => {
        const encoded = encode(Object.values(header))
        expect(toHex(encodeHeader(header))).toBe(toHex(encoded))
        expect(toHex(headerHash(encoded))).toBe(toHex(sha256(concat(domain('header'), encoded))))
        const root = encode(Object.values(rootHeader))
        expect(toHex(encodeRootHeader(rootHeader))).toBe(toHex(root))
        expect(toHex(rootHeaderHash(root))).toBe(toHex(sha256(concat(domain('root-header'), root))))
      }),
    )
  })
})

describe('a body', () => {
  test('holds its transactions as they came, and gives them back as views', () => {
    fc.assert(
      fc.property(fc.array(transactionFields, { maxLength: 5 }), (list) => {
        const wires = list.map((fields) => encodeTransaction(encodeUnsigned(fields), new Uint8Array(64)))
        const body = encodeBody(wires)
        const read = decodeBody(body)
        expect(read.map(toHex)).toEqual(wires.map(toHex))
        for (const [index, wire] of read.entries()) {
          expect(wire.buffer).toBe(body.buffer)
          expect(decodeTransaction(wire)).toMatchObject(list[index]!)
        }
        expect(toHex(bodyHash(body))).toBe(toHex(sha256(concat(domain('body'), body))))
      }),
      { numRuns: 50 },
    )
  })

  test('cut short, or with more behind, is refused', () => {
    const body = encodeBody([encode([1, 'two', new Uint8Array(30)]), encode({ a: [] })])
    for (let length = 0; length < body.length; length++) {
      expect(() => decodeBody(body.subarray(0, length))).toThrow(CodecError)
    }
    expect(() => decodeBody(concat(body, new Uint8Array(1)))).toThrow(CodecError)
  })
})

describe('a record is refused', () => {
  const malformed = expect.objectContaining({ name: 'CodecError', code: 'MALFORMED' })
  const message = fc.sample(messages, { numRuns: 1, seed: 1 })[0]!

  test('when a call carries a refusal code, or a bounce none', () => {
    expect(() => decodeMessage(encodeMessage({ ...message, kind: 'call', code: 'X' }))).toThrow(malformed)
    expect(() => decodeMessage(encodeMessage({ ...message, kind: 'bounce', code: '' }))).toThrow(malformed)
  })

  test('when an origin is neither empty nor an id', () => {
    expect(() => decodeMessage(encodeMessage({ ...message, origin: new Uint8Array(31) }))).toThrow(malformed)
  })

  test('when an action has a status that does not exist', () => {
    expect(() =>
      decodeReceipt(encodeReceipt({ id: bytesOf(32, 1), statuses: new Uint8Array([3]), fee: 1n, errors: [] })),
    ).toThrow(malformed)
  })

  test('when a genesis names a validator twice, or a quorum that cannot be met', () => {
    const genesis = fc.sample(genesisDocuments, { numRuns: 1, seed: 1 })[0]!
    const key = bytesOf(32, 1)
    const spoiled: Partial<Genesis>[] = [
      { validators: [key, key], quorum: 1 },
      { validators: [key], quorum: 2 },
      { validators: [key], quorum: 0 },
      { shards: ['0:2'] },
    ]
    for (const part of spoiled) expect(() => decodeGenesis(encodeGenesis({ ...genesis, ...part }))).toThrow(malformed)
  })
})

describe('the root chain', () => {
  test('lists shard blocks by shard name, then height, whatever order they came in', () => {
    const committed = ['0:1', '0:0', 'root', '0:1'].map((shard, index) => ({
      shard,
      height: 10 - index,
      hash: bytesOf(32, index),
    }))
    const expected = [committed[1]!, committed[3]!, committed[0]!, committed[2]!].map(encodeCommittedHeader)
    expect(toHex(headersRoot(committed))).toBe(toHex(listRoot(expected)))
    expect(toHex(expected[0]!)).toBe(toHex(encode(['0:0', 9, bytesOf(32, 1)])))
  })

  test('counts no validator twice', () => {
    const votes = [3, 1, 2].map((seed) => ({ validator: bytesOf(32, seed), signature: bytesOf(64, seed) }))
    const sorted = [votes[1]!, votes[2]!, votes[0]!]
    expect(decodeVotes(encodeVotes(votes))).toEqual(sorted)
    for (const wrong of [votes, [votes[0]!, votes[0]!]]) {
      const bytes = encode(wrong.map(({ validator, signature }) => [validator, signature]))
      expect(() => decodeVotes(bytes)).toThrow(expect.objectContaining({ code: 'NOT_CANONICAL' }))
    }
  })

  test('a vote and a network id have their own domains', () => {
    const hash = bytesOf(32, 4)
    expect(toHex(votingBytes(hash))).toBe(toHex(concat(domain('root-vote'), hash)))
    expect(toHex(networkId(hash))).toBe(toHex(sha256(concat(domain('genesis'), hash))))
  })
})
