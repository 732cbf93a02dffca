import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as node from '#sha256'
import { compare, concat, equal, fromHex, toHex, u64be } from './bytes.ts'
import { domain, taggedHash } from './domain.ts'
import * as web from './sha256-web.ts'

const bytes = fc.uint8Array({ maxLength: 40 })

describe('bytes', () => {
  test('hex comes back, in either case, with and without 0x', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        const hex = toHex(value)
        expect(hex).toMatch(/^0x([0-9a-f]{2})*$/)
        for (const text of [hex, hex.slice(2), hex.slice(2).toUpperCase()]) expect(fromHex(text)).toEqual(value)
      }),
    )
  })

  test.each(['0', '0x0', 'zz', '0xg0', '0x0G', ' 0', '0:', '0@', '/0', '0`'])('%j is not hex', (text) => {
    expect(() => fromHex(text)).toThrow(expect.objectContaining({ code: 'MALFORMED' }))
  })

  test('compare sorts as hex does', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const [left, right] = [toHex(a), toHex(b)]
        expect(Math.sign(compare(a, b))).toBe(left < right ? -1 : left > right ? 1 : 0)
        expect(equal(a, b)).toBe(left === right)
      }),
    )
  })

  test('concat and u64be', () => {
    expect(toHex(concat(u64be(258), new Uint8Array([7]), new Uint8Array()))).toBe('0x000000000000010207')
    expect(toHex(u64be((1n << 64n) - 1n))).toBe('0xffffffffffffffff')
  })
})

describe('SHA-256', () => {
  test('a browser and a server hash alike, at every size and from a view', () => {
    const whole = Uint8Array.from({ length: 1000 }, (_, i) => i * 7)
    for (let length = 0; length < 520; length++) {
      const view = whole.subarray(3, 3 + length)
      expect(toHex(node.sha256(view))).toBe(toHex(web.sha256(view)))
    }
    const nodes = whole.subarray(0, 640)
    expect(toHex(node.sha256Layer(nodes))).toBe(toHex(web.sha256Layer(nodes)))
    expect(node.sha256Layer(new Uint8Array())).toEqual(new Uint8Array())
  })

  test('each hash has memory of its own', () => {
    const first = node.sha256(new Uint8Array(10))
    const text = toHex(first)
    node.sha256(new Uint8Array(11))
    expect(toHex(first)).toBe(text)
    expect(first.constructor).toBe(Uint8Array)
    expect(node.sha256(new Uint8Array(500)).constructor).toBe(Uint8Array)
  })

  test('a tagged hash is the hash of domain and bytes, short or long', () => {
    for (const length of [0, 40, 1010, 1011, 1012, 5000]) {
      const value = new Uint8Array(length).fill(5)
      expect(toHex(taggedHash('cell', value))).toBe(toHex(web.sha256(concat(domain('cell'), value))))
    }
    expect(new TextDecoder().decode(domain('tx'))).toBe('deaios/tx/1\0')
  })
})
