import fc from 'fast-check'
import nacl from 'tweetnacl'
import { describe, expect, test } from 'vitest'
import { concat, equal, toHex } from './bytes.ts'
import { encode } from './cbor.ts'
import { domain, taggedHash } from './domain.ts'
import { TransactionError } from './errors.ts'
import { peekSender } from './peek-sender.ts'
import { bytesOf, realms, transactionFields } from './testing.ts'
import {
  MAX_TRANSACTION_BYTES,
  signingBytes,
  signingBytesOf,
  type TransactionFields,
  transactionId,
  unsignedOf,
} from './transaction.ts'
import { decodeTransaction, decodeUnsigned } from './transaction-reader.ts'
import { encodeTransaction, encodeUnsigned } from './transaction-writer.ts'
import type { CborValue } from './value.ts'

const keys = nacl.sign.keyPair.fromSeed(bytesOf(32, 1))
const network = bytesOf(32, 7)
const transfer: TransactionFields = {
  network,
  realm: 0,
  sender: keys.publicKey,
  key: keys.publicKey,
  lane: 3,
  nonce: 12,
  validUntil: 900,
  maxFee: 1_000_000n,
  actions: [{ to: bytesOf(32, 3), realm: 0, call: 'account.credit', args: {}, value: 5_000_000_000n }],
}
const unsigned = encodeUnsigned(transfer)
const wire = encodeTransaction(unsigned, nacl.sign.detached(signingBytes(unsigned), keys.secretKey))

/** The ten items as a plain CBOR value, to spoil one of them. */
function items(fields: TransactionFields): CborValue[] {
  const { network, realm, sender, key, lane, nonce, validUntil, maxFee, actions } = fields
  const calls = actions.map(({ to, realm, call, args, value }) => [to, realm, call, args, value])
  return [1, network, realm, sender, key, lane, nonce, validUntil, maxFee, calls]
}

const refusedAs = (code: string) => expect.objectContaining({ name: 'TransactionError', code })

describe('a transaction', () => {
  test('is read as it was written, and its signature is over what it says it is', () => {
    const read = decodeTransaction(wire, { network })
    expect(read).toMatchObject(transfer)
    expect(toHex(unsignedOf(read))).toBe(toHex(unsigned))
    expect(toHex(signingBytesOf(read))).toBe(toHex(concat(domain('tx'), unsigned)))
    expect(toHex(read.id)).toBe(toHex(taggedHash('id', unsigned)))
    expect(toHex(read.id)).toBe(toHex(transactionId(unsigned)))
    expect(nacl.sign.detached.verify(signingBytesOf(read), read.signature, read.key)).toBe(true)
  })

  test('is the CBOR that the design prints', () => {
    const signature = wire.slice(-64)
    expect(toHex(unsigned)).toBe(toHex(encode(items(transfer))))
    expect(toHex(wire)).toBe(toHex(encode([...items(transfer), signature])))
  })

  test('gives views of the wire, which it does not change', () => {
    const before = toHex(wire)
    const read = decodeTransaction(wire)
    for (const view of [read.network, read.sender, read.key, read.signature, read.items, read.actions[0]!.to]) {
      expect(view.buffer).toBe(wire.buffer)
    }
    unsignedOf(read).fill(0)
    signingBytesOf(read).fill(0)
    expect(toHex(wire)).toBe(before)
    expect(toHex(unsignedOf(read))).toBe(toHex(unsigned))
  })

  test('keeps its id under another signature', () => {
    const other = encodeTransaction(unsigned, bytesOf(64, 9))
    expect(toHex(decodeTransaction(other).id)).toBe(toHex(decodeTransaction(wire).id))
  })

  test('comes back whatever it holds', () => {
    fc.assert(
      fc.property(transactionFields, (fields) => {
        const body = encodeUnsigned(fields)
        const read = decodeTransaction(encodeTransaction(body, new Uint8Array(64)))
        expect(read).toMatchObject(fields)
        expect(toHex(encodeUnsigned(read))).toBe(toHex(body))
        expect(decodeUnsigned(body)).toMatchObject(fields)
        expect(toHex(decodeUnsigned(body).id)).toBe(toHex(read.id))
        expect(toHex(signingBytesOf(decodeUnsigned(body)))).toBe(toHex(signingBytesOf(read)))
      }),
      { numRuns: 500 },
    )
  })

  test('spoiled anywhere, it is refused by a code or is another transaction', () => {
    fc.assert(
      fc.property(transactionFields, fc.nat(), fc.integer({ min: 1, max: 255 }), (fields, at, flip) => {
        const bytes = encodeTransaction(encodeUnsigned(fields), new Uint8Array(64))
        const id = toHex(decodeTransaction(bytes).id)
        const place = at % bytes.length
        bytes[place]! ^= flip
        try {
          const read = decodeTransaction(bytes)
          expect(toHex(read.id) === id).toBe(place >= bytes.length - 64)
          expect(toHex(encodeTransaction(unsignedOf(read), read.signature))).toBe(toHex(bytes))
        } catch (error) {
          expect(error).toBeInstanceOf(TransactionError)
        }
      }),
      { numRuns: 3000 },
    )
  })

  test('cut short anywhere, it is MALFORMED', () => {
    for (let length = 0; length < wire.length; length++) {
      expect(() => decodeTransaction(wire.subarray(0, length))).toThrow(refusedAs('MALFORMED'))
    }
  })

  test('of another network is WRONG_NETWORK', () => {
    expect(() => decodeTransaction(wire, { network: bytesOf(32, 8) })).toThrow(refusedAs('WRONG_NETWORK'))
    expect(() => decodeUnsigned(unsigned, { network: bytesOf(32, 8) })).toThrow(refusedAs('WRONG_NETWORK'))
  })

  test('has at most 64 KiB, signature included', () => {
    const filled = (length: number) => ({
      ...transfer,
      actions: [{ ...transfer.actions[0]!, args: { data: new Uint8Array(length) } }],
    })
    const room = MAX_TRANSACTION_BYTES - encodeUnsigned(filled(60_000)).length - 66 + 60_000
    const largest = encodeTransaction(encodeUnsigned(filled(room)), new Uint8Array(64))
    expect(largest.length).toBe(MAX_TRANSACTION_BYTES)
    expect(decodeTransaction(largest).actions).toHaveLength(1)
    expect(() => encodeUnsigned(filled(room + 1))).toThrow(refusedAs('TOO_LARGE'))
    expect(() => decodeTransaction(new Uint8Array(MAX_TRANSACTION_BYTES + 1))).toThrow(refusedAs('TOO_LARGE'))
  })

  const action = transfer.actions[0]!
  test.each<[string, Partial<TransactionFields>]>([
    ['no actions', { actions: [] }],
    ['257 actions', { actions: Array.from({ length: 257 }, () => action) }],
    ['a value of 2^128', { actions: [{ ...action, value: 1n << 128n }] }],
    ['a negative value', { actions: [{ ...action, value: -1n }] }],
    ['a call of 65 bytes', { actions: [{ ...action, call: 'é'.repeat(32).concat('x') }] }],
    ['a short receiver', { actions: [{ ...action, to: new Uint8Array(31) }] }],
    ['a fee of 2^128', { maxFee: 1n << 128n }],
    ['lane 256', { lane: 256 }],
    ['a nonce that is no integer', { nonce: 0.5 }],
    ['realm 2^32', { realm: 2 ** 32 }],
    ['a short key', { key: new Uint8Array(31) }],
  ])('with %s is not even written', (_, spoiled) => {
    expect(() => encodeUnsigned({ ...transfer, ...spoiled })).toThrow(refusedAs('MALFORMED'))
  })

  test('takes 256 actions, amounts up to 2^128-1, and a call of 64 bytes', () => {
    const most = { ...action, value: (1n << 128n) - 1n, call: 'é'.repeat(32) }
    const fields = { ...transfer, maxFee: (1n << 128n) - 1n, actions: Array.from({ length: 256 }, () => most) }
    expect(decodeUnsigned(encodeUnsigned(fields))).toMatchObject(fields)
  })

  test.each<[string, (items: CborValue[]) => CborValue]>([
    ['version 2', (items) => [2, ...items.slice(1)]],
    ['an item more', (items) => [...items, 0]],
    ['an item less', (items) => items.slice(1)],
    ['an amount as text', (items) => [...items.slice(0, 8), '1', items[9]!]],
    ['a nonce of 2^53', (items) => [...items.slice(0, 6), 1n << 53n, ...items.slice(7)]],
    ['arguments that are no map', (items) => [...items.slice(0, 9), [[action.to, 0, 'account.credit', [], 0]]]],
    ['no array at all', () => 7],
  ])('with %s is MALFORMED', (_, spoil) => {
    expect(() => decodeUnsigned(encode(spoil(items(transfer))))).toThrow(refusedAs('MALFORMED'))
  })

  test('with arguments nested too deep to be passed on is refused both ways', () => {
    const nested = (levels: number): CborValue => (levels === 0 ? 0 : [nested(levels - 1)])
    const withDepth = (levels: number) => ({ ...transfer, actions: [{ ...action, args: { a: nested(levels - 1) } }] })
    expect(decodeUnsigned(encodeUnsigned(withDepth(24)))).toMatchObject(withDepth(24))
    expect(() => encodeUnsigned(withDepth(25))).toThrow(refusedAs('MALFORMED'))
    expect(() => decodeUnsigned(encode(items(withDepth(25))))).toThrow(refusedAs('MALFORMED'))
  })

  test('is not put together with a signature of another length', () => {
    expect(() => encodeTransaction(unsigned, new Uint8Array(63))).toThrow(refusedAs('MALFORMED'))
  })

  test('with a lane in two bytes too many is NOT_CANONICAL', () => {
    const at = unsigned.indexOf(3, 105)
    expect(unsigned[at]).toBe(transfer.lane)
    const longer = concat(unsigned.subarray(0, at), new Uint8Array([0x18]), unsigned.subarray(at))
    expect(() => decodeUnsigned(longer)).toThrow(refusedAs('NOT_CANONICAL'))
  })
})

describe('a look at the sender', () => {
  test('finds what reading finds, for a realm of any width', () => {
    fc.assert(
      fc.property(transactionFields, fc.oneof(realms, fc.constantFrom(23, 24, 255, 256, 65535, 65536)), (f, realm) => {
        const bytes = encodeTransaction(encodeUnsigned({ ...f, realm }), new Uint8Array(64))
        const peeked = peekSender(bytes)
        expect(peeked?.realm).toBe(realm)
        expect(equal(peeked?.sender ?? new Uint8Array(), f.sender)).toBe(true)
        expect(peekSender(encodeUnsigned({ ...f, realm }))).toEqual(peeked)
      }),
    )
  })

  test('sees nothing in what is too short or something else', () => {
    for (let length = 0; length < 71; length++) expect(peekSender(wire.subarray(0, length))).toBeUndefined()
    expect(peekSender(wire.subarray(0, 71))).toBeDefined()
    expect(peekSender(new Uint8Array(300).fill(0x8c))).toBeUndefined()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        peekSender(bytes)
      }),
    )
  })
})
