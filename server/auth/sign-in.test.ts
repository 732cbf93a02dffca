import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generateKeyPair } from '../../client/index.ts'
import { concat, domain, fromHex, toHex } from '../../protocol/index.ts'
import { testClock } from '../testing/test-clock.ts'
import { answerChallenge, createIdentityFixture, type IdentityFixture, SIGN_IN } from './testing/identity-fixture.ts'

let node: IdentityFixture
const clock = testClock()
beforeAll(async () => {
  node = await createIdentityFixture({ clock })
})
afterAll(() => node.stop())

const signIn = async (variables: Record<string, unknown>) => Object((await node.ask(SIGN_IN, variables)).data?.signIn)

describe('signing in with a wallet', () => {
  test('makes the wallet known by its address', async () => {
    const keys = generateKeyPair()
    const token = await node.signIn(keys)
    const { data } = await node.ask('{ mine me { kind account scopes key { id } } }', {}, token)
    expect(data).toEqual({
      mine: 'mine',
      me: {
        kind: 'WALLET',
        account: keys.address,
        scopes: ['accounts:write', 'keys:read', 'keys:write', 'vault:open', 'wallet:export', 'wallet:send'],
        key: null,
      },
    })
    expect((await node.ask('{ hidden }', {}, token)).codes).toEqual(['FORBIDDEN'])
    expect((await node.ask('{ auditLog { edges { cursor } } }', {}, token)).codes).toEqual(['FORBIDDEN'])
  })

  test('is for one time only: a replayed answer is refused', async () => {
    const keys = generateKeyPair()
    const signed = await answerChallenge(node, keys)
    expect(await signIn(signed)).toMatchObject({ __typename: 'SignedIn', address: keys.address })
    expect(await signIn(signed)).toMatchObject({ code: 'BAD_SIGN_IN', message: /used already/ })
  })

  test('lets one of many in that come with one answer at the same time', async () => {
    const signed = await answerChallenge(node)
    const results = await Promise.all(Array.from({ length: 10 }, () => signIn(signed)))
    expect(results.filter(({ __typename }) => __typename === 'SignedIn')).toHaveLength(1)
  })

  test.each([
    ['of another key', { address: generateKeyPair().publicKey }],
    ['for another network', { network: 'other' }],
    ['for another network of the same name', { networkId: new Uint8Array(32) }],
    ['with another nonce', { nonce: 'mine' }],
    ['with a later end', { expiresAt: Date.UTC(2099, 0) }],
    ['for another server', { audience: 'evil.example' }],
    ['for a server with a name that looks alike', { audience: 'localhost.evil.example' }],
    ['for a server with user info', { audience: 'localhost@evil.example' }],
    ['for no server', { audience: '' }],
  ])('takes no signature %s', async (_what, changed) => {
    expect(await signIn(await answerChallenge(node, generateKeyPair(), changed))).toMatchObject({ code: 'BAD_SIGN_IN' })
  })

  test('takes a signature only as it was made for this audience', async () => {
    const signed = await answerChallenge(node, generateKeyPair(), { audience: 'evil.example' })
    expect(await signIn({ ...signed, audience: 'localhost' })).toMatchObject({ code: 'BAD_SIGN_IN' })
  })

  test('takes no transaction for a sign-in: the domains differ', async () => {
    const keys = generateKeyPair()
    const { challenge, audience } = await answerChallenge(node, keys)
    const signature = toHex(keys.sign(concat(domain('tx'), new Uint8Array([1]))))
    expect(await signIn({ challenge, audience, signature })).toMatchObject({ code: 'BAD_SIGN_IN' })
  })

  test.each([
    ['', /not one of this server/],
    ['a.b.c', /not one of this server/],
    ['x'.repeat(5000), /not one of this server/],
  ])('takes no challenge that it did not give: %#', async (challenge, message) => {
    const signed = await answerChallenge(node)
    expect(await signIn({ ...signed, challenge })).toMatchObject({ code: 'BAD_SIGN_IN', message })
  })

  test('takes no challenge that is over', async () => {
    const signed = await answerChallenge(node)
    await clock.advance(5 * 60_000 + 1000)
    expect(await signIn(signed)).toMatchObject({ code: 'BAD_SIGN_IN' })
  })

  test('takes no challenge that was made for another address', async () => {
    const [mine, theirs] = [generateKeyPair(), generateKeyPair()]
    const { challenge } = await answerChallenge(node, theirs)
    const signed = await answerChallenge(node, mine)
    expect(await signIn({ ...signed, challenge })).toMatchObject({ code: 'BAD_SIGN_IN' })
  })

  test('says what is wrong with an address that is none', async () => {
    const { codes } = await node.ask('{ signInChallenge(address: "0x00") { nonce } }')
    expect(codes).toEqual(['BAD_USER_INPUT'])
  })
})

describe('a token', () => {
  test('is over after a quarter of an hour, though it was remembered', async () => {
    const token = await node.signIn(generateKeyPair())
    expect((await node.ask('{ mine }', {}, token)).status).toBe(200)
    await clock.advance(15 * 60_000 + 1000)
    expect(await node.ask('{ mine }', {}, token)).toMatchObject({ status: 401, codes: ['UNAUTHENTICATED'] })
  })

  test('outlives a restart of the node', async () => {
    const token = await node.signIn(generateKeyPair())
    await node.host.restart()
    expect((await node.ask('{ mine }', {}, token)).status).toBe(200)
  })

  test('is not what a challenge is', async () => {
    const { challenge } = await answerChallenge(node)
    expect((await node.ask('{ open }', {}, challenge)).status).toBe(401)
    const token = await node.signIn(generateKeyPair())
    expect(await signIn({ ...(await answerChallenge(node)), challenge: token })).toMatchObject({ code: 'BAD_SIGN_IN' })
  })

  test('is not taken with a changed word, another algorithm or none', async () => {
    const keys = generateKeyPair()
    const token = await node.signIn(keys)
    const [head = '', body = '', signature = ''] = token.split('.')
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
    const written = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const other = written({ ...read(body), sub: generateKeyPair().address })
    const later = written({ ...read(body), exp: read(body).exp + 3600 })
    const [row] = await node.host.sql('core')<{ jwk: { x: string } }[]>`
      select jwk from session_key where id = ${read(head).kid}`
    const byPublicKey = await new SignJWT(read(body))
      .setProtectedHeader({ ...read(head), alg: 'HS256' })
      .sign(Buffer.from(row?.jwk.x ?? '', 'base64url'))
    const forged = [
      `${head}.${other}.${signature}`,
      `${head}.${later}.${signature}`,
      `${written({ ...read(head), alg: 'none' })}.${body}.`,
      `${written({ ...read(head), kid: 'AAAAAAAAAAAA' })}.${body}.${signature}`,
      byPublicKey,
    ]
    for (const bad of forged) expect((await node.ask('{ open }', {}, bad)).status).toBe(401)
    expect((await node.ask('{ me { account } }', {}, token)).data).toEqual({ me: { account: keys.address } })
  })

  test('keeps its secret key out of the database', async () => {
    const rows = await node.host.sql('core')<{ jwk: object }[]>`select jwk from session_key`
    expect(rows.length).toBeGreaterThan(0)
    for (const { jwk } of rows) expect(Object.keys(jwk).sort()).toEqual(['crv', 'kty', 'x'])
  })
})

test('a wrong length of signature or address is no crash', async () => {
  const signed = await answerChallenge(node)
  for (const signature of ['0x', '0x00', toHex(new Uint8Array(65))])
    expect(await signIn({ ...signed, signature })).toMatchObject({ code: 'BAD_SIGN_IN' })
  expect(fromHex(signed.signature)).toHaveLength(64)
})
