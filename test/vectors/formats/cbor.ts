import { type CborValue, decode, encode, fromHex, toHex } from '../../../protocol/index.ts'
import { filler, json, refusal, type VectorFile } from '../vector.ts'

const values: readonly (readonly [string, CborValue])[] = [
  ['zero', 0],
  ['largest integer in the head', 23],
  ['smallest integer of one byte more', 24],
  ['one byte, full', 255],
  ['two bytes', 256],
  ['four bytes', 65536],
  ['eight bytes', 2 ** 32],
  ['largest that a double holds', Number.MAX_SAFE_INTEGER],
  ['largest of 64 bits', (1n << 64n) - 1n],
  ['smallest bignum', 1n << 64n],
  ['largest amount', (1n << 128n) - 1n],
  ['minus one', -1],
  ['smallest negative', -(1n << 64n)],
  ['false', false],
  ['true', true],
  ['null', null],
  ['no bytes', new Uint8Array(0)],
  ['24 bytes', filler(24, 1)],
  ['no text', ''],
  ['text beyond ASCII', 'Grüße 🙂'],
  ['text that begins with a byte order mark', '\ufeffa'],
  ['nested arrays', [1, [2, []]]],
  ['keys by length, then bytes', { b: 1, a: 2, aa: 3, ü: 4, '': 5 }],
]

const refused: readonly (readonly [string, string])[] = [
  ['an integer with a spare byte', '1817'],
  ['a length with a spare byte', '580100'],
  ['a bignum that fits in 64 bits', 'c248ffffffffffffffff'],
  ['a bignum with a leading zero', 'c24a00010000000000000000'],
  ['an indefinite array', '9f01ff'],
  ['keys out of order', 'a2616201616102'],
  ['a key twice', 'a2616101616102'],
  ['a key that is no text', 'a10102'],
  ['a float', 'f93c00'],
  ['undefined', 'f7'],
  ['an unknown tag', 'c11a514b67b0'],
  ['a negative bignum', 'c349010000000000000000'],
  ['text that is not UTF-8', '61ff'],
  ['an end in the middle', '6261'],
  ['something behind', '0000'],
  ['33 arrays, one in the other', `${'81'.repeat(33)}00`],
]

export function cborVectors(): VectorFile {
  return {
    format: 'cbor',
    about:
      'RFC 8949, 4.2.1: shortest integers and lengths, definite lengths, text keys sorted by their encoded bytes, no floats; integers above 2^64-1 as tag 2. Byte strings are shown as 0x-hex, large integers as decimal text. MALFORMED: no such value in the protocol; NOT_CANONICAL: such a value, spelled otherwise.',
    cases: values.map(([name, value]) => ({ name, value: json(value), bytes: toHex(encode(value)) })),
    refused: refused.map(([name, hex]) => refusal(name, fromHex(hex), decode)),
  }
}
