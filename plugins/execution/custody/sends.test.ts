import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generateKeyPair } from '../../../client/index.ts'
import { type Action, fromHex, toHex } from '../../../protocol/index.ts'
import { ANONYMOUS, type Principal } from '../../../schema/index.ts'
import { CONSOLE, createKey, type KeyOptions, revokeKey } from '../../../server/auth/index.ts'
import { definePlugin } from '../../../server/plugin.ts'
import { createTestHost, type TestHost, until } from '../../../server/testing/index.ts'
import { Ledger } from '../api.ts'
import execution from '../plugin.ts'
import { oneDatabase } from '../query/shard-databases.ts'
import { Sends } from './sends.ts'

const DEA = 10n ** 9n
let host: TestHost
let ledger: Ledger

/** Takes the ledger out of the node, so that tests can stand between it and what uses it. */
const tap = definePlugin({
  name: 'tap',
  version: '1.0.0',
  api: '^1.0.0',
  dependsOn: { execution: '^1.0.0' },
  requires: { ledger: Ledger },
  start: ({ use }) => {
    ledger = use.ledger
  },
})

beforeAll(async () => {
  host = await createTestHost({ plugins: [execution({ verifierThreads: 1, rootIntervalMs: 20 }), tap()] })
})
afterAll(() => host.stop())

const bearer = async (token: string): Promise<Principal> =>
  host.node.identity.authenticate({ authorization: `Bearer ${token}`, address: '127.0.0.1' })

const SEND = `mutation ($actions: [ActionInput!]!, $key: String!, $wait: Wait, $maxFee: BigInt) {
  send(actions: $actions, idempotencyKey: $key, wait: $wait, maxFee: $maxFee) {
    __typename
    ... on TransactionAccepted { duplicate transaction { id status fee } }
    ... on TransactionRefused { code message }
  }
}`

let names = 0
const name = (): string => `order-${++names}`

interface Payment {
  readonly to: Uint8Array
  readonly value: bigint
  readonly key?: string
  readonly more?: object
}

async function pay(as: Principal, { to, value, key = name(), more = {} }: Payment) {
  const actions = [{ to: toHex(to), value: String(value) }]
  const { data, errors } = await host.execute(SEND, { actions, key, wait: 'EXECUTED', ...more }, { as })
  return errors === undefined ? Object(data?.send) : { code: errors[0]?.extensions.code }
}

/** Any other call than a payment. */
async function act(as: Principal, { to, ...call }: { to: Uint8Array; call: string; args: object }) {
  const variables = { actions: [{ to: toHex(to), ...call }], key: name(), wait: 'EXECUTED' }
  const { data, errors } = await host.execute(SEND, variables, { as })
  return errors === undefined ? Object(data?.send) : { code: errors[0]?.extensions.code }
}

const balance = async (address: Uint8Array): Promise<bigint> => (await ledger.cells(0, [address]))[0]?.balance ?? 0n

/** A custodial account with money, and the bearer of its first key. */
async function shop(): Promise<{ as: Principal; account: Uint8Array }> {
  const made = await host.execute(
    `mutation { createAccount(name: "shop") { ... on AccountCreated { token account { address } } } }`,
    {},
    { as: CONSOLE },
  )
  const { token, account } = Object(made.data?.createAccount)
  const address = fromHex(account.address)
  const funded = await host.execute(
    `mutation ($address: Bytes!) { faucet(address: $address) { ... on TransactionAccepted { transaction { id } } ... on UserError { code } } }`,
    { address: account.address },
  )
  expect(funded.errors).toBeUndefined()
  await until(async () => (await balance(address)) >= 100n * DEA, 'the faucet has paid')
  return { as: await bearer(token), account: address }
}

/** Another key of the same account. */
async function keyOf(account: Uint8Array, options: Partial<KeyOptions>): Promise<{ as: Principal; id: string }> {
  const { identity } = host.node
  const plain = { name: 'k', scopes: ['wallet:send'], expiresAt: null, rate: null, capTotal: null, capDaily: null }
  const { key, token } = await identity.sql.begin((tx) =>
    createKey(tx, CONSOLE, { ...plain, account, ...options }, Date.now(), { rate: identity.keyRate }),
  )
  return { as: await bearer(token), id: key.id }
}

async function spent(id: string): Promise<bigint> {
  const [row] = await host.sql('core')<{ spent: string }[]>`
    select spent_total::text as spent from api_key where id = ${id} and spent_total = spent_daily`
  return BigInt(row?.spent ?? -1)
}

describe('somebody who never signs', () => {
  test('pays, and the money arrives', async () => {
    const { as, account } = await shop()
    const to = generateKeyPair().publicKey
    const before = await balance(account)
    const sent = await pay(as, { to, value: 3n * DEA })
    expect(sent).toMatchObject({
      __typename: 'TransactionAccepted',
      duplicate: false,
      transaction: { status: 'EXECUTED' },
    })
    expect(await balance(to)).toBe(3n * DEA)
    expect(await balance(account)).toBe(before - 3n * DEA - BigInt(sent.transaction.fee))
    expect(await spent(as.id)).toBe(3n * DEA + BigInt(sent.transaction.fee))
  })

  test('pays once, however often and however much at the same time the same is asked for', async () => {
    const { as } = await shop()
    const payment = { to: generateKeyPair().publicKey, value: DEA, key: 'the same' }
    const answers = await Promise.all(Array.from({ length: 8 }, () => pay(as, payment)))
    const again = await pay(as, payment)
    expect(new Set([...answers, again].map(({ transaction }) => transaction.id)).size).toBe(1)
    expect(again).toMatchObject({ duplicate: true, transaction: { status: 'EXECUTED' } })
    expect(await balance(payment.to)).toBe(DEA)
    expect(await spent(as.id)).toBe(DEA + BigInt(again.transaction.fee))
  })

  test('cannot use one name for two payments; another account can use the name', async () => {
    const [{ as }, other] = [await shop(), await shop()]
    const to = generateKeyPair().publicKey
    await pay(as, { to, value: 1n, key: 'invoice 7' })
    expect(await pay(as, { to, value: 2n, key: 'invoice 7' })).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' })
    expect(await pay(other.as, { to, value: 2n, key: 'invoice 7' })).toMatchObject({ duplicate: false })
    expect(await balance(to)).toBe(3n)
  })

  test('sends many things at a time', async () => {
    const { as } = await shop()
    const to = generateKeyPair().publicKey
    const answers = await Promise.all(Array.from({ length: 30 }, () => pay(as, { to, value: 1n })))
    expect(answers.map(({ transaction }) => transaction?.status)).toEqual(answers.map(() => 'EXECUTED'))
    expect(new Set(answers.map(({ transaction }) => transaction.id)).size).toBe(30)
    expect(await balance(to)).toBe(30n)
  })
})

describe('who may not send', () => {
  test('strangers, keys without the scope, people who sign themselves, keys without an account', async () => {
    const { account } = await shop()
    const payment = { to: generateKeyPair().publicKey, value: 1n }
    const other = await keyOf(account, { scopes: ['keys:read'] })
    const wallet = { ...other.as, kind: 'wallet' as const, can: () => true, account: generateKeyPair().publicKey }
    expect(await pay(ANONYMOUS, payment)).toEqual({ code: 'UNAUTHENTICATED' })
    expect(await pay(other.as, payment)).toEqual({ code: 'FORBIDDEN' })
    expect(await pay(wallet, payment)).toEqual({ code: 'NOT_CUSTODIAL' })
    expect(await pay(CONSOLE, payment)).toEqual({ code: 'NOT_CUSTODIAL' })
  })

  test('a key that was revoked since its request came in', async () => {
    const { account } = await shop()
    const { as, id } = await keyOf(account, {})
    await host.sql('core').begin((tx) => revokeKey(tx, CONSOLE, id))
    expect(await pay(as, { to: account, value: 1n })).toEqual({ code: 'UNAUTHENTICATED' })
  })
})

describe('a spending cap', () => {
  test('is never passed, not even by many payments at a time', async () => {
    const { account } = await shop()
    const { as, id } = await keyOf(account, { capTotal: 5n * DEA })
    const to = generateKeyPair().publicKey
    const answers = await Promise.all(Array.from({ length: 12 }, () => pay(as, { to, value: DEA })))
    const paid = answers.filter(({ __typename }) => __typename === 'TransactionAccepted').length
    expect(paid).toBe(4)
    expect(answers.filter(({ code }) => code === 'SPENDING_CAP')).toHaveLength(8)
    expect(await balance(to)).toBe(4n * DEA)
    expect(await spent(id)).toBeLessThan(5n * DEA)
    expect(await pay(as, { to, value: DEA / 2n })).toMatchObject({ __typename: 'TransactionAccepted' })
  })

  test('counts coins, so a capped key moves nothing else, and nobody lets another key in by it', async () => {
    const { as: owner, account } = await shop()
    const capped = await keyOf(account, { capTotal: DEA })
    const session = generateKeyPair().publicKey
    const authorize = {
      to: account,
      call: 'account.authorize',
      args: {
        key: { $bytes: toHex(session) },
        calls: ['account.credit'],
        lane: 3,
        limit: { $int: String(90n * DEA) },
        expires: 1_000_000,
      },
    }
    // What gives the account away takes the right to export it, which no capped key can have.
    for (const as of [owner, capped.as]) expect(await act(as, authorize)).toEqual({ code: 'SCOPE_MISSING' })
    const create = { to: account, call: 'asset.create', args: { symbol: 'POINTS', decimals: 0 } }
    expect(await act(capped.as, create)).toMatchObject({ code: 'CALL_NOT_ALLOWED' })
    const wider = await keyOf(account, { capTotal: DEA, calls: ['asset.*'] })
    expect((await act(wider.as, create)).code).not.toBe('CALL_NOT_ALLOWED')
    expect(await pay(wider.as, { to: account, value: 1n })).toMatchObject({ code: 'CALL_NOT_ALLOWED' })
  })

  test('of a day refuses what is beyond it', async () => {
    const { account } = await shop()
    const { as } = await keyOf(account, { capDaily: DEA })
    expect(await pay(as, { to: account, value: DEA })).toMatchObject({ code: 'SPENDING_CAP', message: /in a day/ })
    await host.sql('core')`update api_key set spent_daily = ${String(DEA)}, spent_on = '2020-01-01' where id = ${as.id}`
    expect(await pay(as, { to: account, value: DEA / 2n })).toMatchObject({ __typename: 'TransactionAccepted' })
    // A node whose clock is behind begins no new day.
    await host.sql('core')`update api_key set spent_daily = ${String(DEA)}, spent_on = '2999-01-01' where id = ${as.id}`
    expect(await pay(as, { to: account, value: 1n })).toMatchObject({ code: 'SPENDING_CAP' })
  })

  test('holds for all that is made by the key', async () => {
    const { account } = await shop()
    const parent = await keyOf(account, { capTotal: DEA, scopes: ['keys:write', 'wallet:send'] })
    const child = Object(
      (
        await host.execute(
          'mutation { createApiKey(key: { name: "c", scopes: ["wallet:send"] }) { ... on ApiKeyCreated { token } } }',
          {},
          { as: parent.as },
        )
      ).data?.createApiKey,
    )
    const as = await bearer(child.token)
    const to = generateKeyPair().publicKey
    expect(await pay(as, { to, value: 2n * DEA })).toMatchObject({ code: 'SPENDING_CAP' })
    const sent = await pay(as, { to, value: DEA / 2n })
    expect(await spent(parent.id)).toBe(DEA / 2n + BigInt(sent.transaction.fee))
  })

  test('counts nothing for what the ledger refuses', async () => {
    const { account } = await shop()
    const { as, id } = await keyOf(account, { capTotal: 10_000n * DEA })
    expect(await pay(as, { to: account, value: 5000n * DEA })).toMatchObject({ code: 'INSUFFICIENT_FUNDS' })
    expect(await spent(id)).toBe(0n)
    expect(await pay(as, { to: account, value: 1n })).toMatchObject({ __typename: 'TransactionAccepted' })
  })

  test('counts what is on its way at its highest cost, and gives the rest back in the end', async () => {
    const { account } = await shop()
    const { as, id } = await keyOf(account, {})
    const to = generateKeyPair().publicKey
    const sent = await pay(as, { to, value: 5n, more: { wait: 'NONE', maxFee: '1000' } })
    expect(sent).toMatchObject({ __typename: 'TransactionAccepted' })
    await until(async () => (await balance(to)) === 5n, 'it is paid')
    let later = 0n
    await until(async () => {
      later += BigInt((await pay(as, { to, value: 0n })).transaction.fee)
      return (await spent(id)) < 5n + later + 1000n
    }, 'the first is settled by a later send')
    expect(await spent(id)).toBeGreaterThan(5n + later)
  })
})

const request = (to: Uint8Array, value: bigint, idempotencyKey: string) => {
  const action: Action = { to, realm: 0, call: 'account.credit', args: {}, value }
  return { idempotencyKey, actions: [action], maxFee: null }
}
/** The ledger, but for what is changed. */
const instead = (changed: Partial<Ledger>): Ledger =>
  new Proxy(ledger, {
    get(target, key) {
      const value: unknown = Reflect.get(changed, key) ?? Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
const sendsBy = (changed: Partial<Ledger>): Sends =>
  new Sends({
    sql: host.sql('execution'),
    databases: () => oneDatabase(host.sql('execution')),
    ledger: instead(changed),
    custody: host.node.identity.custody,
    clock: { now: () => Date.now(), sleep: () => Promise.resolve() },
  })
const signal = new AbortController().signal

describe('a node that is cut off', () => {
  test('before it submits, pays when it is asked again: once', async () => {
    const { as } = await shop()
    const to = generateKeyPair().publicKey
    const broken = sendsBy({ submit: () => Promise.reject(new Error('cut off')) })
    await expect(broken.send(as, request(to, 9n, 'x'), 'EXECUTED', signal)).rejects.toThrow('cut off')
    expect(await balance(to)).toBe(0n)
    expect(await pay(as, { to, value: 9n, key: 'x' })).toMatchObject({ transaction: { status: 'EXECUTED' } })
    expect(await balance(to)).toBe(9n)
  })

  test('after it submitted, without an answer, pays once', async () => {
    const { as } = await shop()
    const to = generateKeyPair().publicKey
    const mute = sendsBy({
      submit: async (...given) => {
        await ledger.submit(...given)
        throw new Error('no answer')
      },
    })
    await expect(mute.send(as, request(to, 9n, 'x'), 'EXECUTED', signal)).rejects.toThrow('no answer')
    expect(await pay(as, { to, value: 9n, key: 'x' })).toMatchObject({ duplicate: true })
    expect(await balance(to)).toBe(9n)
  })

  test('holds up nobody: what never arrived is submitted with what comes after it', async () => {
    const { as } = await shop()
    const to = generateKeyPair().publicKey
    const broken = sendsBy({ submit: () => Promise.reject(new Error('cut off')) })
    await expect(broken.send(as, request(to, 1n, 'first'), 'EXECUTED', signal)).rejects.toThrow('cut off')
    expect(await pay(as, { to, value: 2n, key: 'second' })).toMatchObject({ transaction: { status: 'EXECUTED' } })
    expect(await balance(to)).toBe(3n)
  })

  test('gives back what was refused by all that were asked, and keeps the answer', async () => {
    const { account } = await shop()
    const { as, id } = await keyOf(account, { capTotal: DEA })
    const full = sendsBy({
      submit: async (wires) => wires.map(() => ({ kind: 'refused', id: null, code: 'MEMPOOL_FULL', message: 'full' })),
    })
    const to = generateKeyPair().publicKey
    const refused = { kind: 'refused', code: 'MEMPOOL_FULL', message: 'full' }
    expect(await full.send(as, request(to, 9n, 'x'), 'EXECUTED', signal)).toEqual(refused)
    expect(await spent(id)).toBe(0n)
    expect(await pay(as, { to, value: 9n, key: 'x' })).toMatchObject({ code: 'MEMPOOL_FULL' })
    expect(await pay(as, { to, value: 9n, key: 'y' })).toMatchObject({ transaction: { status: 'EXECUTED' } })
    expect(await balance(to)).toBe(9n)
  })

  test('gives nothing back for what may have arrived, though a later try was refused', async () => {
    const { account } = await shop()
    const { as, id } = await keyOf(account, { capTotal: DEA })
    const to = generateKeyPair().publicKey
    const lost = sendsBy({ submit: () => Promise.reject(new Error('cut off')) })
    await expect(lost.send(as, request(to, 9n, 'x'), 'EXECUTED', signal)).rejects.toThrow('cut off')
    const full = sendsBy({
      submit: async (wires) => wires.map(() => ({ kind: 'refused', id: null, code: 'MEMPOOL_FULL', message: 'full' })),
    })
    expect(await full.send(as, request(to, 9n, 'x'), 'EXECUTED', signal)).toMatchObject({ code: 'MEMPOOL_FULL' })
    expect(await spent(id)).toBeGreaterThan(9n)
    expect(await pay(as, { to, value: 9n, key: 'x' })).toMatchObject({ transaction: { status: 'EXECUTED' } })
    expect(await balance(to)).toBe(9n)
  })
})

describe('whatever is cut off, asked twice or asked at the same time', () => {
  test('each name is paid once or not at all, and the caps count exactly that', async () => {
    const { account } = await shop()
    const { as, id } = await keyOf(account, { capTotal: 50n * DEA })
    const to = generateKeyPair().publicKey
    const cut = (): Promise<never> => Promise.reject(new Error('cut off'))
    const full = { kind: 'refused', id: null, code: 'MEMPOOL_FULL', message: 'full' } as const
    const nodes = [
      sendsBy({}),
      sendsBy({}),
      sendsBy({ submit: cut }),
      sendsBy({
        submit: async (...given) => {
          await ledger.submit(...given)
          return cut()
        },
      }),
      sendsBy({ submit: async (wires) => wires.map(() => full) }),
    ]
    const orders = Array.from({ length: 8 }, (_, n) => ({ key: `o${n}`, value: 10n ** BigInt(n) }))
    const anyOf = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T
    for (let round = 0; round < 12; round++)
      await Promise.allSettled(
        Array.from({ length: 5 }, () => {
          const { key, value } = anyOf(orders)
          return anyOf(nodes).send(as, request(to, value, key), anyOf(['NONE', 'EXECUTED'] as const), signal)
        }),
      )
    let paid = 0n
    let fees = 0n
    for (const { key, value } of orders) {
      const last = await pay(as, { to, value, key })
      expect(last).toMatchObject(
        last.__typename === 'TransactionRefused' ? { code: 'MEMPOOL_FULL' } : { transaction: { status: 'EXECUTED' } },
      )
      if (last.__typename === 'TransactionRefused') continue
      paid += value
      fees += BigInt(last.transaction.fee)
    }
    const last = await pay(as, { to, value: 0n })
    expect(await balance(to)).toBe(paid)
    expect(await spent(id)).toBe(paid + fees + BigInt(last.transaction.fee))
    expect(await host.sql('core')`select 1 from spending s where s.key_ids @> array[${id}]`).toHaveLength(0)
  })
})

describe('what makes no sense', () => {
  test.each([
    ['no action', { actions: [] }],
    ['an empty name', { key: '' }],
    ['a name without end', { key: 'x'.repeat(101) }],
    ['a name with a zero', { key: 'a\0b' }],
    ['a receiver that is none', { actions: [{ to: '0x00' }] }],
    ['a negative value', { actions: [{ to: toHex(new Uint8Array(32)), value: '-1' }] }],
    ['a value beyond all', { actions: [{ to: toHex(new Uint8Array(32)), value: String(1n << 128n) }] }],
    ['a fraction', { actions: [{ to: toHex(new Uint8Array(32)), args: { n: 0.5 } }] }],
    ['bytes that are none', { actions: [{ to: toHex(new Uint8Array(32)), args: { b: { $bytes: '0xg' } } }] }],
    ['arguments that are no object', { actions: [{ to: toHex(new Uint8Array(32)), args: [1] }] }],
  ])('is refused: %s', async (_what, wrong) => {
    const { as } = await keyOf(generateKeyPair().publicKey, {})
    const variables = { actions: [{ to: toHex(new Uint8Array(32)) }], key: name(), ...wrong }
    const { errors } = await host.execute(SEND, variables, { as })
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT')
  })

  test('a fee that is not enough, a call that is none', async () => {
    const { as, account } = await shop()
    expect(await pay(as, { to: account, value: 1n, more: { maxFee: '1' } })).toMatchObject({ code: 'FEE_TOO_LOW' })
    expect(
      await pay(as, { to: account, value: 1n, more: { actions: [{ to: toHex(account), call: 'no.such' }] } }),
    ).toMatchObject({ code: 'UNKNOWN_CALL' })
  })
})
