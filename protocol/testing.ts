import fc from 'fast-check'
import type { Message } from './message.ts'
import type { Action, TransactionFields } from './transaction.ts'
import type { CborMap, CborValue } from './value.ts'

/** `length` bytes, all different for a different `seed` below 256: for stories whose bytes do not matter. */
export function bytesOf(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => seed + i * 31)
}

const maxAmount = (1n << 128n) - 1n

export const hashes = fc.uint8Array({ minLength: 32, maxLength: 32 })
export const amounts = fc.oneof(fc.bigInt(0n, maxAmount), fc.bigInt(0n, 1n << 40n))
export const realms = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffffffff }))
export const uints = fc.oneof(fc.nat(300), fc.maxSafeNat())
export const names = fc.string({ maxLength: 16, unit: 'grapheme-ascii' })

/** Values of some depth, integers in the form that they are decoded to. */
export const cborValues: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger().map((n) => n + 0),
    fc.bigInt(1n << 60n, maxAmount),
    fc.string({ maxLength: 20 }),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(names, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value

export const cborMaps: fc.Arbitrary<CborMap> = fc.dictionary(names, cborValues, { maxKeys: 3, noNullPrototype: true })

const actions: fc.Arbitrary<Action> = fc.record({
  to: hashes,
  realm: realms,
  call: names,
  args: cborMaps,
  value: amounts,
})

export const transactionFields: fc.Arbitrary<TransactionFields> = fc.record({
  network: hashes,
  realm: realms,
  sender: hashes,
  key: hashes,
  lane: fc.nat(255),
  nonce: uints,
  validUntil: uints,
  maxFee: amounts,
  actions: fc.array(actions, { minLength: 1, maxLength: 4 }),
})

export const messages: fc.Arbitrary<Message> = fc
  .record({
    bounced: fc.boolean(),
    origin: fc.oneof(hashes, fc.constant(new Uint8Array(0))),
    action: uints,
    from: hashes,
    fromRealm: realms,
    module: names,
    to: hashes,
    realm: realms,
    call: names,
    args: cborMaps,
    value: amounts,
    payer: hashes,
    payerRealm: realms,
  })
  .map(({ bounced, ...rest }) => ({
    ...rest,
    kind: bounced ? 'bounce' : 'call',
    code: bounced ? 'INSUFFICIENT_FUNDS' : '',
  }))
