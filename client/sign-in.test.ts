import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestHost, type TestHost } from '../server/testing/index.ts'
import { createClient, document, generateKeyPair, signIn } from './index.ts'

let host: TestHost
let url: string
beforeAll(async () => {
  host = await createTestHost({ plugins: [] })
  ;({ url } = await host.serve())
})
afterAll(() => host.stop())

const me = document<{ me: { account: string } | null }, Record<string, never>>('{ me { account } }')

test('a wallet signs in, and its client is known by that', async () => {
  const key = generateKeyPair()
  const { token, address, expiresAt } = await signIn({ url, key })
  expect(address).toBe(key.address)
  expect(expiresAt.getTime()).toBeGreaterThan(Date.now())
  const client = createClient({ url, apiKey: token })
  expect(await client.request(me, {})).toEqual({ me: { account: key.address } })
  expect(await createClient({ url }).request(me, {})).toEqual({ me: null })
  await client.close()
})

test('a wallet signs nothing for another network than it is meant for', async () => {
  const given = { url, key: generateKeyPair(), network: `0x${'11'.repeat(32)}` }
  await expect(signIn(given)).rejects.toMatchObject({ code: 'REFUSED', reason: 'WRONG_NETWORK' })
})

test('a relay gets nothing: what is signed for it is refused by the server behind it', async () => {
  const relay: typeof fetch = (_input, init) => fetch(url, init)
  const given = { url: 'http://evil.example/graphql', key: generateKeyPair(), fetch: relay }
  await expect(signIn(given)).rejects.toMatchObject({ code: 'REFUSED', reason: 'BAD_SIGN_IN' })
})
