import { describe, expect, test } from 'vitest'
import { testClock } from '../testing/test-clock.ts'
import { audienceCheck } from './config.ts'
import { AddressLimits, clientAddress, clientName, isLoopback } from './limits.ts'

describe('the address of a client behind proxies', () => {
  test('is what the operator’s own proxies say, however much the client writes before it', () => {
    expect(clientAddress('10.0.0.1', 'a, b, 203.0.113.7', 1)).toBe('203.0.113.7')
    expect(clientAddress('10.0.0.1', 'a, 203.0.113.7, 10.0.0.2', 2)).toBe('203.0.113.7')
    const claims = '127.0.0.1,'.repeat(200)
    expect(clientAddress('10.0.0.1', `${claims}203.0.113.7`, 1)).toBe('203.0.113.7')
    expect(clientAddress('10.0.0.1', '203.0.113.7', 0)).toBe('10.0.0.1')
    expect(clientAddress('10.0.0.1', undefined, 1)).toBe('10.0.0.1')
  })

  test('is never this machine’s own by a header', () => {
    for (const claimed of ['127.0.0.1', '::1', 'localhost', ' 127.0.0.2 ', ''])
      expect(isLoopback(clientAddress('10.0.0.1', claimed, 1)), claimed).toBe(false)
  })
})

describe('whom what comes from an address is counted for', () => {
  test('is one subscriber, with all addresses that it has', () => {
    expect(clientName('203.0.113.7')).toBe('203.0.113.7')
    expect(clientName('2001:db8:1:2:3::4')).toBe(clientName('2001:db8:1:2:ffff::1'))
    expect(clientName('2001:db8:1:3::4')).not.toBe(clientName('2001:db8:1:2::4'))
  })

  test('is nobody for programs on this machine', () => {
    for (const own of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) expect(clientName(own), own).toBeUndefined()
  })
})

describe('the names that a sign-in may be made for', () => {
  test('are local ones only where the server is local', () => {
    expect(audienceCheck([], '127.0.0.1')('localhost:4000')).toBe(true)
    expect(audienceCheck(['https://api.example.org'], '0.0.0.0')('localhost:4000')).toBe(false)
    expect(audienceCheck(['https://api.example.org'], '0.0.0.0')('api.example.org')).toBe(true)
  })
})

test('signing in gives no more requests than staying anonymous: wallets cost nothing to make', () => {
  const limits = new AddressLimits({ perSecond: 1, burst: 3 }, testClock())
  for (const wallet of ['a', 'b', 'c']) limits.walletRequest(wallet, '203.0.113.7')
  expect(() => limits.walletRequest('d', '203.0.113.7')).toThrow()
  expect(() => limits.request('203.0.113.7')).toThrow()
  // Nor does one wallet at many addresses.
  for (const address of ['203.0.113.1', '203.0.113.2']) limits.walletRequest('a', address)
  expect(() => limits.walletRequest('a', '203.0.113.3')).toThrow()
})
