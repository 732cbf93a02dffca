import { inspect } from 'node:util'
import nacl from 'tweetnacl'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../protocol/index.ts'
import { generateKeyPair, keyPairFromSeed } from './keypair.ts'

describe('a key pair', () => {
  test('is that of RFC 8032, 7.1, test 2', () => {
    const keys = keyPairFromSeed('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb')
    expect(keys.address).toBe('0x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')
    expect(toHex(keys.sign(fromHex('72')))).toBe(
      '0x92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    )
  })

  test('comes back from its seed, and another is another', () => {
    const keys = generateKeyPair()
    expect(keyPairFromSeed(keys.exportSeed()).address).toBe(keys.address)
    expect(keyPairFromSeed(toHex(keys.exportSeed())).address).toBe(keys.address)
    expect(generateKeyPair().address).not.toBe(keys.address)
    expect(nacl.sign.detached.verify(fromHex('01'), keys.sign(fromHex('01')), keys.publicKey)).toBe(true)
  })

  test('does not show its secret when it is printed or made into JSON', () => {
    const keys = generateKeyPair()
    const secret = toHex(keys.exportSeed()).slice(2)
    const printed = `${inspect(keys, { depth: 9, showHidden: true })} ${JSON.stringify(keys)}`
    expect(printed).not.toContain(secret)
    expect(printed).not.toContain(keys.exportSeed().join(','))
    expect(Object.keys(keys)).toEqual(['address', 'publicKey', 'sign', 'exportSeed'])
  })

  test.each([['', '00', 'x'.repeat(64), '0'.repeat(63), '0'.repeat(66)]])('is not made of %j', (seed) => {
    expect(() => keyPairFromSeed(seed)).toThrow(expect.objectContaining({ code: 'BAD_KEY' }))
  })
})
