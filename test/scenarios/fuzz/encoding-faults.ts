import { type CborValue, concat, encode } from '../../../protocol/index.ts'
import { LooseWriter, type Twist } from './loose-cbor.ts'
import { itemsOf, type Material, type Spoil, signed } from './spoiled.ts'

/** The head of an array of eleven, for ten items and their signature. */
const ELEVEN = 0x8b

/** Makes a wire of loosely encoded items; the signature is over just these bytes, so only the form is wrong. */
function sealLoose(unsigned: Uint8Array, { key }: Material): Uint8Array {
  return concat(Uint8Array.of(ELEVEN), unsigned.subarray(1), encode(signed(unsigned, key)))
}

/** Items with some of everything in them: maps, texts, large and small integers. */
function richItems({ valid }: Material): CborValue[] {
  const items = itemsOf(valid())
  const to = items[3] ?? null
  const args = { a: 1, bb: [null, true, -5, 'ü', new Uint8Array(30)], cc: { d: 70_000, e: 2n ** 40n, f: 2n ** 70n } }
  return [...items.slice(0, 9), [[to, 0, 'account.credit', args, 300]]]
}

const twist =
  (how: Twist['how']): Spoil =>
  (material) => {
    const items = richItems(material)
    const counter = new LooseWriter()
    counter.write(items)
    for (;;) {
      // Not the first head: it is replaced by that of eleven items.
      const loose = new LooseWriter({ head: material.random.between(1, counter.heads - 1), how })
      const unsigned = loose.write(items)
      if (!loose.isTwisted) continue
      return { fault: `${how} head`, wire: sealLoose(unsigned, material), expected: ['NOT_CANONICAL'] }
    }
  }

/** Replaces the items' arguments, which are empty, by these bytes. */
function withArguments(material: Material, args: Uint8Array): Uint8Array {
  const MARK = 'the place of the arguments'
  const items = itemsOf({ ...material.valid() })
  const to = items[3] ?? null
  const unsigned = Buffer.from(encode([...items.slice(0, 9), [[to, 0, 'account.credit', MARK, 0]]]))
  const mark = Buffer.from(encode(MARK))
  const at = unsigned.indexOf(mark)
  return sealLoose(concat(unsigned.subarray(0, at), args, unsigned.subarray(at + mark.length)), material)
}

const entry = (key: string, value: number): Uint8Array => concat(encode(key), encode(value))

const unsortedKeys: Spoil = (material) => ({
  fault: 'keys out of order',
  wire: withArguments(material, concat(Uint8Array.of(0xa2), entry('b', 1), entry('a', 2))),
  expected: ['NOT_CANONICAL'],
})

const repeatedKey: Spoil = (material) => ({
  fault: 'the same key twice',
  wire: withArguments(material, concat(Uint8Array.of(0xa2), entry('a', 1), entry('a', 2))),
  expected: ['MALFORMED'],
})

const smallBignum: Spoil = (material) => {
  const digits = material.random.bytes(material.random.between(0, 8))
  const args = concat(Uint8Array.of(0xa1), encode('a'), Uint8Array.of(0xc2), encode(digits))
  return { fault: 'a bignum that needs none', wire: withArguments(material, args), expected: ['NOT_CANONICAL'] }
}

const paddedBignum: Spoil = (material) => {
  const args = concat(
    Uint8Array.of(0xa1),
    encode('a'),
    Uint8Array.of(0xc2),
    encode(concat(new Uint8Array(1), material.random.bytes(12))),
  )
  return { fault: 'a bignum with a leading zero', wire: withArguments(material, args), expected: ['NOT_CANONICAL'] }
}

/** What CBOR has and the protocol has not. */
const FOREIGN: readonly (readonly number[])[] = [
  [0xf7],
  [0xf9, 0x3c, 0x00],
  [0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0],
  [0xc0, 0x61, 0x31],
  [0xc3, 0x49, 1, 0, 0, 0, 0, 0, 0, 0, 0],
  [0xf8, 0xff],
  [0xe0],
  [0x1c],
  [0x62, 0xc3, 0x28],
  [0x63, 0xed, 0xa0, 0x80],
]

const foreignValue: Spoil = (material) => {
  const args = concat(Uint8Array.of(0xa1), encode('a'), Uint8Array.from(material.random.pick(FOREIGN)))
  return { fault: 'a value that the protocol has not', wire: withArguments(material, args), expected: ['MALFORMED'] }
}

const bottomless: Spoil = (material) => {
  const depth = material.random.between(25, 30_000)
  const args = concat(Uint8Array.of(0xa1), encode('a'), new Uint8Array(depth).fill(0x81), Uint8Array.of(0))
  return { fault: 'arguments nested too deep', wire: withArguments(material, args), expected: ['MALFORMED'] }
}

const hugeCount: Spoil = (material) => {
  const args = Uint8Array.of(0xbb, 0, 0, 0, 1, 0, 0, 0, 0)
  return { fault: 'a map that claims 2^32 entries', wire: withArguments(material, args), expected: ['MALFORMED'] }
}

/** Faults of spelling: CBOR, but not the one form that is taken. */
export const ENCODING_FAULTS: readonly Spoil[] = [
  twist('longer'),
  twist('indefinite'),
  unsortedKeys,
  repeatedKey,
  smallBignum,
  paddedBignum,
  foreignValue,
  bottomless,
  hugeCount,
]
