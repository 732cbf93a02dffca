import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Action } from '../../../protocol/index.ts'
import type { SigningKey } from '../../../server/crypto/ed25519.ts'
import { createTestChain, type TestChain, testKeyIn } from '../testing.ts'
import { account } from './account.ts'
import { asset } from './asset.ts'
import { assetId, holdingId, readAmount } from './asset-cells.ts'
import { faucet } from './faucet.ts'

const issuer = testKeyIn(0, 'issuer')
const alice = testKeyIn(0, 'alice')
const bob = testKeyIn(1, 'bob')
const START = 10_000_000n
const DEPOSIT = 10_000n
const points = assetId(issuer.publicKey, 'POINTS')

let net: TestChain
const nonces = new Map<SigningKey, number>()
beforeEach(async () => {
  nonces.clear()
  net = await createTestChain({
    accounts: [issuer, alice, bob].map((key) => ({ key, balance: START })),
    modules: [account, faucet, asset],
  })
})
afterEach(() => net.close())

type Args = Action['args']

/** Signs and executes one call; gives the codes of what was refused. */
async function call(
  key: SigningKey,
  to: Uint8Array,
  name: string,
  args: Args,
  value = 0n,
): Promise<string | undefined> {
  const nonce = nonces.get(key) ?? 0
  nonces.set(key, nonce + 1)
  const wire = net.sign({ key, nonce, actions: [{ to, call: `asset.${name}`, args, value }] })
  const [outcome] = await net.chain.submit([wire], { wait: 'EXECUTED' })
  return outcome?.kind === 'accepted' ? outcome.status : outcome?.code
}

async function cell(id: Uint8Array): Promise<Record<string, Uint8Array> | undefined> {
  const [found] = await net.chain.cells(0, [id])
  return (found?.value ?? undefined) as Record<string, Uint8Array> | undefined
}
const supply = async () => readAmount((await cell(points))?.supply ?? new Uint8Array(16))
const held = async (key: SigningKey) =>
  readAmount((await cell(holdingId(points, key.publicKey)))?.amount ?? new Uint8Array(16))

const create = (cap?: number) =>
  call(issuer, points, 'create', { symbol: 'POINTS', decimals: 2, ...(cap && { cap }) }, DEPOSIT)
const issue = (to: SigningKey, amount: number, value = DEPOSIT, by = issuer) =>
  call(by, points, 'issue', { to: to.publicKey, amount }, value)
const transfer = (from: SigningKey, to: SigningKey, amount: number, value = DEPOSIT) =>
  call(from, holdingId(points, from.publicKey), 'transfer', { to: to.publicKey, amount }, value)

describe('an asset', () => {
  it('is issued, passed on across shards and burned; its supply is what is held', async () => {
    expect(await create()).toBe('EXECUTED')
    expect(await issue(alice, 1000)).toBe('EXECUTED')
    expect(await transfer(alice, bob, 300)).toBe('EXECUTED')
    expect(await transfer(bob, alice, 50, 0n)).toBe('EXECUTED')
    expect(await call(alice, holdingId(points, alice.publicKey), 'burn', { amount: 100 })).toBe('EXECUTED')
    expect([await held(alice), await held(bob), await supply()]).toEqual([650n, 250n, 900n])
    expect((await net.settled()).total).toBe(net.network.supply)
  })

  it('costs a new holder’s deposit and no more: the rest of the value comes back', async () => {
    await create()
    await issue(alice, 10)
    const before = await net.balance(bob)
    await transfer(alice, bob, 5, 1_000_000n)
    await transfer(bob, alice, 1, 1_000_000n)
    // Both million came back, to whoever signed; fees are small.
    expect(before - (await net.balance(bob))).toBeLessThan(1000n)
    const [holding] = await net.chain.cells(0, [holdingId(points, bob.publicKey)])
    expect(holding).toMatchObject({ balance: 0n })
  })

  it('comes back where nobody pays for the holder’s cell, to the holder and to the issuer', async () => {
    await create()
    await issue(alice, 10)
    await transfer(alice, bob, 4, 0n)
    await issue(bob, 7, 0n)
    expect([await held(alice), await held(bob), await supply()]).toEqual([10n, 0n, 10n])
    // Too little comes back too; the holder takes the coins out.
    await transfer(alice, bob, 4, 5n)
    const own = holdingId(points, alice.publicKey)
    expect((await net.chain.cells(0, [own]))[0]?.balance).toBe(5n)
    expect(await call(bob, own, 'collect', {})).toBe('FAILED')
    expect(await call(alice, own, 'collect', {})).toBe('EXECUTED')
    expect((await net.chain.cells(0, [own]))[0]?.balance).toBe(0n)
  })

  it('is made by its issuer only, up to its cap, once', async () => {
    expect(await create(100)).toBe('EXECUTED')
    expect(await create(1000)).toBe('FAILED')
    expect(await issue(alice, 5, DEPOSIT, alice)).toBe('FAILED')
    expect(await issue(alice, 101)).toBe('FAILED')
    expect(await issue(alice, 100)).toBe('EXECUTED')
    expect(await issue(alice, 1)).toBe('FAILED')
    expect(await supply()).toBe(100n)
    // A stranger cannot take the place of an issuer's asset either.
    expect(
      await call(alice, assetId(issuer.publicKey, 'OTHER'), 'create', { symbol: 'OTHER', decimals: 0 }, DEPOSIT),
    ).toBe('FAILED')
  })

  it('cannot be spent by strangers, overspent, or made by pretending to be the module', async () => {
    await create()
    await issue(alice, 10)
    const own = holdingId(points, alice.publicKey)
    expect(await call(bob, own, 'transfer', { to: bob.publicKey, amount: 1 }, DEPOSIT)).toBe('FAILED')
    expect(await call(bob, own, 'burn', { amount: 1 })).toBe('FAILED')
    expect(await transfer(alice, bob, 11)).toBe('FAILED')
    const forged = { asset: points, holder: bob.publicKey, amount: 1000 }
    expect(await call(bob, holdingId(points, bob.publicKey), 'receive', forged, DEPOSIT)).toBe('FAILED')
    expect(await call(bob, points, 'burned', { amount: 5 })).toBe('FAILED')
    expect(await call(bob, points, 'create', { symbol: 'lower', decimals: 0 }, DEPOSIT)).toBe('BAD_ARGUMENTS')
    expect([await held(alice), await held(bob), await supply()]).toEqual([10n, 0n, 10n])
  })
})
