import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generateKeyPair } from '../../client/index.ts'
import type { Principal } from '../../schema/index.ts'
import { testClock } from '../testing/test-clock.ts'
import { CONSOLE } from './keys.ts'
import { createIdentityFixture, type IdentityFixture } from './testing/identity-fixture.ts'

const CREATE = `mutation ($account: Bytes, $key: ApiKeyOptions!) {
  createApiKey(account: $account, key: $key) {
    __typename ... on ApiKeyCreated { token key { id name scopes account madeBy } } ... on UserError { code message }
  }
}`
const REVOKE = `mutation ($id: ID!) {
  revokeApiKey(id: $id) { __typename ... on ApiKeyRevoked { key { id revokedAt } } ... on UserError { code } }
}`
const ACCOUNT = `mutation ($name: String!, $key: ApiKeyOptions) {
  createAccount(name: $name, key: $key) {
    __typename ... on AccountCreated { token account { address owner } key { id scopes } } ... on UserError { code }
  }
}`

let node: IdentityFixture
const clock = testClock()
beforeAll(async () => {
  node = await createIdentityFixture({ clock })
})
afterAll(() => node.stop())

const named = (scopes: readonly string[], more: object = {}) => ({ key: { name: 'made', scopes, ...more } })
const create = async (token: string, variables: object) =>
  Object((await node.ask(CREATE, { ...variables }, token)).data?.createApiKey)
const revoke = async (token: string, id: string) => Object((await node.ask(REVOKE, { id }, token)).data?.revokeApiKey)
const openAccount = async (token: string, key?: object) =>
  Object((await node.ask(ACCOUNT, { name: 'shop', ...(key && { key }) }, token)).data?.createAccount)

describe('a field with a scope, over HTTP', () => {
  test('refuses the stranger and answers the key that has it', async () => {
    const { token } = await node.key({ scopes: ['vault:open'] })
    expect(await node.ask('{ open locked }')).toMatchObject({ status: 200, codes: ['UNAUTHENTICATED'] })
    expect(await node.ask('{ open locked }', {}, token)).toMatchObject({ data: { open: 'open', locked: 'gold' } })
    expect((await node.ask('{ hidden }', {}, token)).errors[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
      scope: 'vault:admin',
    })
  })

  test('includes what begins alike: vault:* and *', async () => {
    for (const scopes of [['vault:*'], ['*']]) {
      const { token } = await node.key({ scopes })
      expect((await node.ask('{ locked hidden }', {}, token)).data).toEqual({ locked: 'gold', hidden: 'plans' })
    }
    const { token } = await node.key({ scopes: ['vaul:*', 'vault:openly'] })
    expect((await node.ask('{ locked }', {}, token)).codes).toEqual(['FORBIDDEN'])
  })

  test('does not show any secret of a key', async () => {
    const { token, id } = await node.key({ scopes: ['*'] })
    const { data } = await node.ask('{ apiKeys(first: 100) { edges { node { id name scopes } } } }', {}, token)
    expect(JSON.stringify(data)).toContain(id)
    expect(JSON.stringify(data)).not.toContain(token.slice(20))
    const rows = await node.host.sql('core')`select * from api_key`
    expect(JSON.stringify(rows)).not.toContain(token.slice(20))
  })
})

describe('a key that is not good', () => {
  test.each([
    ['unknown', `dk_${'0'.repeat(16)}_${'0'.repeat(64)}`],
    ['too short', 'dk_1'],
    ['of odd letters', `dk_${'G'.repeat(16)}_${'0'.repeat(64)}`],
    ['empty', 'dk_'],
    ['no key at all', 'open sesame'],
    ['half a token', 'eyJhbGciOiJub25lIn0.e30.'],
  ])('is refused at once, whatever was asked: %s', async (_what, token) => {
    const { status, codes, data } = await node.ask('{ open }', {}, token)
    expect({ status, codes, data }).toEqual({ status: 401, codes: ['UNAUTHENTICATED'], data: undefined })
  })

  test("is refused with another key's secret, before and after that one was seen", async () => {
    const [a, b] = [await node.key({ scopes: ['vault:open'] }), await node.key({ scopes: ['vault:open'] })]
    const mixed = `${a.token.slice(0, 20)}${b.token.slice(20)}`
    expect((await node.ask('{ open }', {}, mixed)).status).toBe(401)
    expect((await node.ask('{ open }', {}, a.token)).status).toBe(200)
    expect((await node.ask('{ open }', {}, mixed)).status).toBe(401)
  })

  test('is refused once it has expired, though it was remembered', async () => {
    const { token } = await node.key({ scopes: ['vault:open'], expiresAt: new Date(clock.now() + 1000) })
    expect((await node.ask('{ locked }', {}, token)).data).toEqual({ locked: 'gold' })
    await clock.advance(1001)
    expect(await node.ask('{ locked }', {}, token)).toMatchObject({ status: 401, codes: ['UNAUTHENTICATED'] })
  })

  test('is refused from the moment that it was revoked', async () => {
    const operator = await node.key({ scopes: ['*'] })
    const { token, id } = await node.key({ scopes: ['vault:open'] })
    expect((await node.ask('{ locked }', {}, token)).status).toBe(200)
    expect(await revoke(operator.token, id)).toMatchObject({ __typename: 'ApiKeyRevoked', key: { id } })
    expect((await node.ask('{ locked }', {}, token)).status).toBe(401)
    expect((await node.ask('{ open }', {}, token)).status).toBe(401)
  })
})

describe('making keys', () => {
  test('nobody gives more than they have', async () => {
    const { token } = await node.key({ scopes: ['keys:write', 'vault:open'] })
    for (const scopes of [['vault:admin'], ['vault:*'], ['*'], ['keys:write', 'audit:read'], ['keys:*']])
      expect(await create(token, named(scopes))).toMatchObject({ code: 'SCOPE_NOT_YOURS' })
    expect(await create(token, named(['vault:open']))).toMatchObject({ __typename: 'ApiKeyCreated' })
  })

  test.each([
    [['Vault'], {}],
    [['vault:'], {}],
    [['**'], {}],
    [[], { name: '' }],
    [[], { name: 'two\nlines' }],
    [[], { requestsPerSecond: 0 }],
    [[], { expiresAt: '2001-01-01T00:00:00Z' }],
    [[], { capTotal: '-1' }],
    [['wallet:export'], { capDaily: '5' }],
    [['wallet:*'], { capTotal: '5' }],
  ])('takes no key that makes no sense: %j %j', async (scopes, more) => {
    const { token } = await node.key({ scopes: ['*'] })
    expect(await create(token, named(scopes, more))).toMatchObject({ code: 'BAD_KEY_OPTIONS' })
  })

  test('only the operator makes keys that ask more often than the node allows', async () => {
    const { token } = await node.key({ scopes: ['keys:write'] })
    const operator = await node.key({ scopes: ['*'] })
    const busy = named([], { requestsPerSecond: 5000, burst: 5000 })
    expect(await create(token, busy)).toMatchObject({ code: 'BAD_KEY_OPTIONS' })
    expect(await create(operator.token, busy)).toMatchObject({ __typename: 'ApiKeyCreated' })
  })

  test('needs the scope', async () => {
    const { token } = await node.key({ scopes: ['vault:*'] })
    expect((await node.ask(CREATE, named([]), token)).codes).toEqual(['FORBIDDEN'])
    expect((await node.ask(CREATE, named([]))).codes).toEqual(['UNAUTHENTICATED'])
  })

  test('a key ends with the key that made it, and with the one that made that', async () => {
    const operator = await node.key({ scopes: ['*'] })
    const first = await node.key({ scopes: ['keys:write', 'vault:open'] })
    const second = await create(first.token, named(['keys:write', 'vault:open']))
    const third = await create(second.token, named(['vault:open']))
    expect(third.key.madeBy).toBe(second.key.id)
    expect((await node.ask('{ locked }', {}, third.token)).status).toBe(200)
    await revoke(operator.token, first.id)
    for (const token of [first.token, second.token, third.token])
      expect((await node.ask('{ open }', {}, token)).status).toBe(401)
  })

  test('a key that was made by an expiring one expires with it', async () => {
    const first = await node.key({ scopes: ['keys:write'], expiresAt: new Date(clock.now() + 1000) })
    const second = await create(first.token, named([]))
    expect((await node.ask('{ open }', {}, second.token)).status).toBe(200)
    await clock.advance(1001)
    expect((await node.ask('{ open }', {}, second.token)).status).toBe(401)
  })

  test('the line of keys has an end', async () => {
    let { token } = await node.key({ scopes: ['keys:write'] })
    for (let n = 0; n < 4; n++) ({ token } = await create(token, named(['keys:write'])))
    expect(await create(token, named([]))).toMatchObject({ code: 'KEY_LIMIT' })
  })
})

describe("others' keys", () => {
  test('cannot be listed, made or revoked by a stranger', async () => {
    const [ann, bob] = [generateKeyPair(), generateKeyPair()]
    const [annToken, bobToken] = [await node.signIn(ann), await node.signIn(bob)]
    const annKey = await create(annToken, named(['keys:read', 'keys:write']))
    expect(annKey).toMatchObject({ __typename: 'ApiKeyCreated', key: { account: ann.address } })
    const list = '($account: Bytes) { apiKeys(account: $account) { edges { node { id } } } }'
    expect((await node.ask(`query ${list}`, { account: ann.address }, bobToken)).codes).toEqual(['FORBIDDEN'])
    expect((await node.ask(`query ${list}`, {}, bobToken)).data?.apiKeys).toEqual({ edges: [] })
    expect(await create(bobToken, { account: ann.address, ...named([]) })).toMatchObject({ code: 'NOT_YOURS' })
    expect(await revoke(bobToken, annKey.key.id)).toEqual({ __typename: 'IdentityRefused', code: 'KEY_UNKNOWN' })
    expect(await revoke(bobToken, 'ffffffffffffffff')).toEqual({ __typename: 'IdentityRefused', code: 'KEY_UNKNOWN' })
    expect((await node.ask('{ me { account } }', {}, annKey.token)).data).toEqual({ me: { account: ann.address } })
    expect(await revoke(annToken, annKey.key.id)).toMatchObject({ __typename: 'ApiKeyRevoked' })
  })

  test("an operator's lesser key touches no account, and no greater key", async () => {
    const lesser = await node.key({ scopes: ['keys:read', 'keys:write'] })
    const greater = await node.key({ scopes: ['*'] })
    const owner = generateKeyPair()
    const { token } = await create(await node.signIn(owner), named(['keys:read']))
    expect(await create(lesser.token, { account: owner.address, ...named([]) })).toMatchObject({ code: 'NOT_YOURS' })
    expect(await revoke(lesser.token, greater.id)).toMatchObject({ code: 'NOT_YOURS' })
    expect(await revoke(lesser.token, lesser.id)).toMatchObject({ __typename: 'ApiKeyRevoked' })
    expect((await node.ask('{ open }', {}, token)).status).toBe(200)
  })

  test('a lesser key of the same account does not end the one that made it', async () => {
    const operator = await node.key({ scopes: ['accounts:write'] })
    const { token, key } = await openAccount(operator.token)
    const child = await create(token, named(['keys:write']))
    expect(await revoke(child.token, key.id)).toMatchObject({ code: 'NOT_YOURS' })
    expect(await revoke(token, child.key.id)).toMatchObject({ __typename: 'ApiKeyRevoked' })
  })
})

describe('a custodial account', () => {
  const EXPORT = `mutation ($address: Bytes) {
    exportWallet(address: $address) { __typename ... on WalletExported { address seed } ... on UserError { code } }
  }`
  const exported = async (token: string, address?: string) =>
    Object((await node.ask(EXPORT, { address }, token)).data?.exportWallet)

  test('is made by whoever signs in, who has its keys and its secret', async () => {
    const owner = generateKeyPair()
    const token = await node.signIn(owner)
    const made = await openAccount(token)
    expect(made).toMatchObject({ __typename: 'AccountCreated', account: { owner: owner.address } })
    expect(made.key.scopes).toEqual(['keys:read', 'keys:write', 'wallet:send'])
    const { address } = made.account
    const me = '{ me { kind account isCustodial accounts { edges { node { address } } } } }'
    expect((await node.ask(me, {}, made.token)).data?.me).toMatchObject({ account: address, isCustodial: true })
    expect((await node.ask(me, {}, token)).data?.me).toMatchObject({
      kind: 'WALLET',
      isCustodial: false,
      accounts: { edges: [{ node: { address } }] },
    })
    const { seed } = await exported(token, address)
    const { keyPairFromSeed } = await import('../../client/index.ts')
    expect(keyPairFromSeed(seed).address).toBe(address)
  })

  test('gives its secret to no stranger, no key without the scope, and not to the operator', async () => {
    const { account, token } = await openAccount(await node.signIn(generateKeyPair()))
    const operator = await node.key({ scopes: ['*'] })
    expect((await node.ask(EXPORT, {}, token)).codes).toEqual(['FORBIDDEN'])
    expect((await node.ask(EXPORT, { address: account.address })).codes).toEqual(['UNAUTHENTICATED'])
    for (const bearer of [operator.token, await node.signIn(generateKeyPair())])
      expect(await exported(bearer, account.address)).toMatchObject({ code: 'ACCOUNT_UNKNOWN' })
    for (const scopes of [['wallet:send'], ['wallet:export'], ['*']])
      expect(await create(operator.token, { account: account.address, ...named(scopes) })).toMatchObject({
        code: 'SCOPE_NOT_YOURS',
      })
  })

  test('is not for everybody to make', async () => {
    expect((await node.ask(ACCOUNT, { name: 'x' })).codes).toEqual(['UNAUTHENTICATED'])
    const { token } = await openAccount(await node.signIn(generateKeyPair()))
    expect((await node.ask(ACCOUNT, { name: 'x' }, token)).codes).toEqual(['FORBIDDEN'])
  })

  test("a service's key that only makes accounts can give their keys what accounts can do, and no more", async () => {
    const service = await node.key({ scopes: ['accounts:write'] })
    const asked = { name: 'k', scopes: ['vault:open', 'wallet:export', 'wallet:send'] }
    expect(await openAccount(service.token, asked)).toMatchObject({ __typename: 'AccountCreated' })
    expect(await openAccount(service.token, { name: 'k', scopes: ['audit:read'] })).toEqual({
      __typename: 'IdentityRefused',
      code: 'SCOPE_NOT_YOURS',
    })
    const rows = await node.host.sql('core')`select * from custodial_account where name = 'k'`
    expect(rows).toHaveLength(0)
  })
})

describe('the audit log', () => {
  test('says who did what and was refused what, without secrets, to those who may read it', async () => {
    const auditor = await node.key({ scopes: ['audit:read'] })
    const operator = await node.key({ scopes: ['*'] })
    const made = await create(operator.token, named(['vault:open']))
    await revoke(operator.token, 'ffffffffffffffff')
    await revoke(operator.token, made.key.id)
    const log = `{ auditLog(first: 3, actor: "key:${operator.id}") {
      edges { node { actor action target outcome code details } } pageInfo { hasNextPage } } }`
    const { data } = await node.ask(log, {}, auditor.token)
    const actor = `key:${operator.id}`
    expect(data).toMatchObject({
      auditLog: {
        edges: [
          { node: { actor, action: 'revokeApiKey', target: made.key.id, outcome: 'DONE', code: null } },
          { node: { actor, action: 'revokeApiKey', outcome: 'REFUSED', code: 'KEY_UNKNOWN' } },
          { node: { actor, action: 'createApiKey', target: made.key.id, details: { scopes: ['vault:open'] } } },
        ],
        pageInfo: { hasNextPage: false },
      },
    })
    expect(JSON.stringify(data)).not.toContain(made.token.slice(20))
    expect((await node.ask(log, {}, made.token)).status).toBe(401)
    expect((await node.ask(log)).codes).toEqual(['UNAUTHENTICATED'])
  })
})

test('what can be no key, no cursor and no actor is told so, and breaks nothing', async () => {
  const { token } = await node.key({ scopes: ['*'] })
  for (const id of ['', '\0', 'x'.repeat(10_000), "'; drop table core.api_key; --"])
    expect(await revoke(token, id)).toMatchObject({ code: 'KEY_UNKNOWN' })
  const cursor = Buffer.from(JSON.stringify(['api-key', '2030-01-01T00:00:00.000Z', '\0'])).toString('base64url')
  expect((await node.ask(`{ apiKeys(after: "${cursor}") { edges { cursor } } }`, {}, token)).codes).toEqual([
    'BAD_CURSOR',
  ])
  const log = 'query ($actor: String) { auditLog(actor: $actor) { edges { cursor } } }'
  expect((await node.ask(log, { actor: 'a\0b' }, token)).codes).toEqual(['BAD_USER_INPUT'])
})

test('nobody but the operator fills the tables: making and ending keys without end is paced', async () => {
  const mine = await node.signIn(generateKeyPair())
  const made = await create(mine, named([]))
  let code: unknown
  for (let n = 0; n < 100 && code === undefined; n++)
    code = (await node.ask(REVOKE, { id: made.key.id }, mine)).codes[0]
  expect(code).toBe('RATE_LIMITED')
  const other = await node.signIn(generateKeyPair())
  expect(await create(other, named([]))).toMatchObject({ __typename: 'ApiKeyCreated' })
})

test('a node without the master key says so, to its operator and without details to clients', async () => {
  const { account } = await openAccount(await node.signIn(generateKeyPair()))
  const address = Buffer.from(account.address.slice(2), 'hex')
  await node.host.sql('core')`update custodial_account set sealed_under = '0123456789abcdef' where address = ${address}`
  const { token } = await node.key({ account: address, scopes: ['wallet:export'] })
  const { errors, codes } = await node.ask('mutation { exportWallet { __typename } }', {}, token)
  expect(codes).toEqual(['KEYSTORE_UNAVAILABLE'])
  expect(errors[0]?.message).not.toContain('0123456789abcdef')
})

describe('keys that were made by keys', () => {
  test('do not end those that they come from', async () => {
    const { token: first, id } = await node.key({ scopes: ['*'] })
    const child = await create(first, named(['*']))
    expect(await revoke(child.token, id)).toMatchObject({ code: 'NOT_YOURS' })
    expect((await node.ask('{ open }', {}, first)).status).toBe(200)
  })

  test('name the calls that they may sign', async () => {
    const { token } = await node.key({ scopes: ['*'] })
    for (const calls of [[], ['market'], ['*'], ['Market.buy'], Array(33).fill('a.b')])
      expect(await create(token, named([], { calls }))).toMatchObject({ code: 'BAD_KEY_OPTIONS' })
    expect(await create(token, named([], { calls: ['market.*', 'account.credit'] }))).toMatchObject({
      __typename: 'ApiKeyCreated',
    })
  })
})

test('a key can be revoked however many strangers make keys: that holds nobody up but themselves', async () => {
  const { identity } = node.host.node
  const mine = await node.signIn(generateKeyPair())
  const made = await create(mine, named([]))
  const stranger = (n: number): Principal => ({
    ...CONSOLE,
    account: Buffer.alloc(32, `stranger ${n}`),
    can: () => false,
  })
  const busy = (n: number): boolean => {
    try {
      identity.pace(stranger(n))
      return false
    } catch {
      return true
    }
  }
  let n = 0
  while (n < 10_000 && !busy(n)) n++
  expect(n).toBeLessThan(10_000)
  expect((await node.ask(CREATE, named([]), mine)).codes).toEqual(['RATE_LIMITED'])
  expect(await revoke(mine, made.key.id)).toMatchObject({ __typename: 'ApiKeyRevoked' })
})
