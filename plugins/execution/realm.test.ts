import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Action, cellId, cellPath, ROOT_REALM } from '../../protocol/index.ts'
import type { SigningKey } from '../../server/crypto/ed25519.ts'
import { UNITS } from './genesis.ts'
import { realmSalt } from './modules/realm.ts'
import { verifyDatabase } from './replay/verify.ts'
import { createTestChain, type TestChain, testKey, testKeyIn } from './testing.ts'

const BOND = 1000n
const alice = testKeyIn(0, 'alice')
const bob = testKeyIn(1, 'bob')
/** Accounts that live in realm 1 only, one in each of its two shards. */
const gamer = testKeyIn(0, 'gamer')
const rival = testKeyIn(1, 'rival')

let net: TestChain
const nonces = new Map<string, number>()
beforeAll(async () => {
  const accounts = [alice, bob].map((key) => ({ key, balance: UNITS }))
  net = await createTestChain({ accounts, plan: { realmBond: BOND } })
})
afterAll(() => net?.close())

function send(key: SigningKey, action: Partial<Action>, realm = 0) {
  const name = `${realm} ${Buffer.from(key.publicKey).toString('hex')}`
  const nonce = nonces.get(name) ?? 0
  const wire = net.sign({ key, realm, nonce, actions: [action] })
  return net.chain.submit([wire], { wait: 'EXECUTED' }).then(([outcome]) => {
    if (outcome?.kind === 'accepted') nonces.set(name, nonce + 1)
    return outcome
  })
}

const balanceIn = async (realm: number, { publicKey }: SigningKey): Promise<bigint | undefined> =>
  (await net.chain.cells(realm, [publicKey]))[0]?.balance

const isWhole = async (): Promise<boolean> => (await net.settled()).total === net.network.supply

it('cannot be paid to while it is not there', async () => {
  const paid = await send(alice, { to: gamer.publicKey, realm: 1, value: 5n })
  expect(paid).toMatchObject({ kind: 'refused', code: 'BAD_ARGUMENTS', message: 'there is no realm 1' })
  expect(await balanceIn(1, gamer)).toBeUndefined()
})

it('can be paid to from every shard as soon as it is there', async () => {
  const created = await send(alice, {
    to: cellId('realm', alice.publicKey, realmSalt('games')),
    realm: ROOT_REALM,
    call: 'realm.create',
    args: { name: 'games', shards: 2 },
    value: 2n * BOND + 100_000n,
  })
  expect(created).toMatchObject({ status: 'EXECUTED' })
  const paid = await Promise.all([
    send(alice, { to: gamer.publicKey, realm: 1, value: 500_000n }),
    send(bob, { to: rival.publicKey, realm: 1, value: 700_000n }),
  ])
  expect(paid).toMatchObject([{ status: 'EXECUTED' }, { status: 'EXECUTED' }])
  expect(await Promise.all([balanceIn(1, gamer), balanceIn(1, rival)])).toEqual([500_000n, 700_000n])
  expect(await balanceIn(0, gamer)).toBeUndefined()
  expect(net.chain.shardOf(1, gamer.publicKey)).toBe('1:0')
  expect(await isWhole()).toBe(true)
})

it('has accounts and nonces of its own, that pay within it and out of it', async () => {
  expect(await send(gamer, { to: rival.publicKey, realm: 1, value: 1_000n }, 1)).toMatchObject({ status: 'EXECUTED' })
  expect(await send(rival, { to: testKey('new').publicKey, realm: 0, value: 2_000n }, 1)).toMatchObject({
    status: 'EXECUTED',
  })
  // The same key has an account in each realm, and no coins in the other.
  expect(await send(gamer, { to: rival.publicKey, realm: 1, value: 1n }, 0)).toMatchObject({
    code: 'INSUFFICIENT_FUNDS',
  })
  expect(await balanceIn(0, testKey('new'))).toBe(2_000n)
  expect(await balanceIn(1, rival)).toBeLessThan(700_000n + 1_000n - 2_000n)
  expect(await isWhole()).toBe(true)
})

it('is split by who made it, and by nobody else', async () => {
  const split = { to: alice.publicKey, realm: ROOT_REALM, call: 'shard.split', args: { shard: '1:0' }, value: BOND }
  expect(await send(bob, split)).toMatchObject({ status: 'FAILED' })
  expect(await send(alice, split)).toMatchObject({ status: 'EXECUTED' })
  const half = `1:0${(cellPath(gamer.publicKey)[0]! >> 6) & 1}`
  // It waits for the children, whoever asks meanwhile.
  expect(await send(gamer, { to: rival.publicKey, realm: 1, value: 1_000n }, 1)).toMatchObject({ status: 'EXECUTED' })
  while (net.chain.shardOf(1, gamer.publicKey) !== half) await net.settled()
  expect(await send(gamer, { to: rival.publicKey, realm: 1, value: 1_000n }, 1)).toMatchObject({
    status: 'EXECUTED',
    at: { shard: half },
  })
  expect(await isWhole()).toBe(true)
})

it('is there after a restart, and can be executed again', async () => {
  await net.restart()
  expect(await send(rival, { to: gamer.publicKey, realm: 1, value: 7n }, 1)).toMatchObject({ status: 'EXECUTED' })
  expect(await isWhole()).toBe(true)
  const report = await verifyDatabase({ sql: net.sql, offered: net.modules })
  expect(report.transactions).toBeGreaterThan(8)
})
