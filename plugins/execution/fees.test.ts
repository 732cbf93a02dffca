import { afterEach, describe, expect, it } from 'vitest'
import { type BlockHeader, cellId, cellPath, decodeHeader, decodeTransaction } from '../../protocol/index.ts'
import { until } from '../../server/testing/index.ts'
import type { SubmitOutcome } from './api.ts'
import { BURST, heavy, SPREAD, WORK } from './fixtures/heavy.ts'
import { storedNetwork } from './genesis-store.ts'
import { MAX_BLOCK_WEIGHT } from './ledger/rules.ts'
import { account } from './modules/account.ts'
import { faucet } from './modules/faucet.ts'
import { SYSTEM_MODULES } from './modules/system.ts'
import { replayChain } from './replay/index.ts'
import { chainInDatabase } from './replay/stored-chain.ts'
import { createTestChain, type TestChain, testKey, testKeyIn } from './testing.ts'

const modules = [account, faucet, heavy, ...SYSTEM_MODULES]
const alice = testKeyIn(0, 'alice')
const anna = testKeyIn(0, 'anna')
const bob = testKeyIn(1, 'bob')
const BALANCE = 10n ** 12n
const MUCH = 10n ** 9n
/** Calls in one transaction: nearly a quarter of a block, so that four fill one. */
const CALLS = 19

let net: TestChain
afterEach(() => net.close())

const open = async (keys: readonly (typeof alice)[], shards = 2): Promise<void> => {
  net = await createTestChain({ shards, modules, accounts: keys.map((key) => ({ key, balance: BALANCE })) })
}

/** A cell that nobody uses, in the half or quarter of the realm with this prefix. */
function cellIn(prefix: string): Uint8Array {
  for (let i = 0; ; i++) {
    const id = cellId('heavy', alice.publicKey, Uint8Array.of(i))
    const bits = cellPath(id)[0]!.toString(2).padStart(8, '0')
    if (bits.startsWith(prefix)) return id
  }
}

const work = (key: typeof alice, nonce: number, to: Uint8Array): Uint8Array => {
  const actions = Array.from({ length: CALLS }, () => ({ to, call: 'heavy.work' }))
  return net.sign({ key, nonce, actions, maxFee: MUCH })
}

const works = (key: typeof alice, count: number, to: Uint8Array): Uint8Array[] =>
  Array.from({ length: count }, (_, nonce) => work(key, nonce, to))

async function headers(shard: string): Promise<BlockHeader[]> {
  const rows = await net.sql<{ header: Uint8Array }[]>`SELECT header FROM block WHERE shard = ${shard} ORDER BY height`
  return rows.map(({ header }) => decodeHeader(header))
}

const priceOf = (shard: string): bigint => net.chain.shards().find(({ id }) => id === shard)?.basePrice ?? 0n
const statuses = (outcomes: readonly SubmitOutcome[]) =>
  new Set(outcomes.map((outcome) => (outcome.kind === 'accepted' ? outcome.status : outcome.code)))

/** Waits until all are done in all shards, whatever the first answer was. */
async function executed(wires: readonly Uint8Array[]): Promise<void> {
  const ids = wires.map((wire) => decodeTransaction(wire).id)
  await until(
    async () => (await net.chain.states(ids)).every((state) => state?.status === 'EXECUTED'),
    'all transactions are executed',
    90_000,
  )
}

/** Everything that is stored follows from the chain, prices and congestion with it. */
async function mustReplay(): Promise<void> {
  await net.settled()
  await net.chain.stop()
  const network = await storedNetwork(net.sql)
  if (network === undefined) throw new TypeError('the test chain has no genesis')
  await replayChain({ network, modules, chain: chainInDatabase(net.sql) })
}

describe('the price of a shard', () => {
  it('rises while its blocks are full, keeps others waiting, and falls when they are gone', async () => {
    await open([alice, anna, bob])
    // Admitted at the lowest price, and waiting for a nonce until the price is higher.
    const [low] = [net.sign({ key: anna, nonce: 1, actions: [{ to: alice.publicKey }], maxFee: 30n })]
    expect(statuses(await net.chain.submit([low!], { wait: 'NONE' }))).toEqual(new Set(['PENDING']))
    const load = works(alice, 40, cellIn('0'))
    expect(statuses(await net.chain.submit(load, { wait: 'INCLUDED' }))).toEqual(new Set(['EXECUTED']))
    const price = priceOf('0:0')
    expect(price).toBeGreaterThan(3n)
    expect(priceOf('0:1')).toBe(1n)

    const first = net.sign({ key: anna, nonce: 0, actions: [{ to: alice.publicKey }], maxFee: MUCH })
    expect(statuses(await net.chain.submit([first], { wait: 'INCLUDED' }))).toEqual(new Set(['EXECUTED']))
    const tooLow = net.sign({ key: anna, nonce: 2, actions: [{ to: alice.publicKey }], maxFee: 20n })
    const [refused] = await net.chain.submit([tooLow], { wait: 'NONE' })
    expect(refused).toMatchObject({ kind: 'refused', code: 'FEE_TOO_LOW' })
    const simulated = await net.chain.simulate(
      net.sign({ key: anna, nonce: 9, actions: [{ to: alice.publicKey }], maxFee: MUCH }),
    )
    if (simulated.kind !== 'done') throw new TypeError(simulated.message)
    expect(simulated.fee).toBeGreaterThan(simulated.weight)

    // Time passes for an idle shard with each root block.
    for (let nonce = 0; priceOf('0:0') > 1n; nonce++)
      await net.chain.submit([net.transfer(bob, bob, 1n, nonce)], { wait: 'INCLUDED' })
    await executed([low!])

    const chain = await headers('0:0')
    const most = chain.reduce((max, { basePrice }) => (basePrice > max ? basePrice : max), 0n)
    expect(most).toBeGreaterThanOrEqual(price)
    const paid = 2n * BALANCE - (await net.balance(alice)) - (await net.balance(anna))
    // Not all of it at the lowest price, and never at more than the highest.
    const weight = chain.reduce((sum, header) => sum + header.weight, 0n)
    expect(paid).toBeGreaterThan(2n * weight)
    expect(paid).toBeLessThanOrEqual(most * weight)
    await mustReplay()
  })

  it('goes on from where it was after a restart', async () => {
    await open([alice])
    await net.chain.submit(works(alice, 40, cellIn('0')), { wait: 'INCLUDED' })
    const { height, basePrice } = (await headers('0:0')).at(-1)!
    expect(basePrice).toBeGreaterThan(1n)
    await net.restart()
    await net.chain.submit([net.sign({ key: alice, nonce: 40, actions: [{}], maxFee: MUCH })], { wait: 'INCLUDED' })
    expect((await headers('0:0')).length).toBeGreaterThan(height + 1)
    await mustReplay()
  })
})

describe('a congested shard', () => {
  it('says so, takes in all that was sent to it, at the price of the senders, and slows nobody else down for good', async () => {
    const keys = ['00', '01', '10', '11'].map((prefix) => {
      for (let i = 0; ; i++) {
        const key = testKey(`sender ${prefix} ${i}`)
        if (cellPath(key.publicKey)[0]!.toString(2).padStart(8, '0').startsWith(prefix)) return key
      }
    })
    await open(keys, 4)
    const [local, senders] = [keys[3]!, keys.slice(0, 3)]
    const hot = cellIn('11')
    const wires = senders.flatMap((key) => works(key, 25, hot))
    const outcomes = await net.chain.submit(wires, { wait: 'INCLUDED' })
    expect(outcomes.every(({ kind }) => kind === 'accepted')).toBe(true)
    // Who lives there pays what he did before: others fill the shard.
    const own = Array.from({ length: 10 }, (_, nonce) =>
      net.sign({ key: local, nonce, actions: [{ to: local.publicKey }], maxFee: 30n }),
    )
    expect(statuses(await net.chain.submit(own, { wait: 'INCLUDED' }))).toEqual(new Set(['EXECUTED']))
    await executed(wires)
    const chain = await headers('0:11')
    expect(new Set(chain.map(({ basePrice }) => basePrice))).toEqual(new Set([1n]))
    expect(Math.max(...chain.map(({ weight, txWeight }) => Number(weight - txWeight)))).toBeGreaterThan(
      MAX_BLOCK_WEIGHT / 2,
    )
    const congestion = chain.map((header) => header.congestion)
    expect(Math.max(...congestion)).toBeGreaterThan(100)
    expect(congestion.at(-1)).toBeLessThanOrEqual(100)
    // All of it ran there, in blocks of which messages get three quarters at most.
    const ran = chain.reduce((sum, { weight, txWeight }) => sum + Number(weight - txWeight), 0)
    expect(ran).toBe(wires.length * CALLS * WORK)
    for (const { weight, txWeight } of chain)
      expect(Number(weight - txWeight)).toBeLessThanOrEqual(0.75 * MAX_BLOCK_WEIGHT)
    expect(await net.balance(local)).toBe(BALANCE - chain.reduce((sum, { txWeight }) => sum + txWeight, 0n))
    await mustReplay()
  })
})

describe('a message storm', () => {
  it('is bounded by the weights that its calls declare, and leaves room to others', async () => {
    await open([alice, anna, bob])
    const to = [cellIn('0'), cellIn('1'), cellIn('01'), cellIn('10')]
    const burst = { to: to[0]!, call: 'heavy.burst', args: { to } }
    const tooMuch = net.sign({ key: alice, nonce: 0, actions: Array.from({ length: 20 }, () => burst), maxFee: MUCH })
    expect(await net.chain.submit([tooMuch], { wait: 'NONE' })).toMatchObject([{ kind: 'refused', code: 'TOO_LARGE' }])

    const storm = Array.from({ length: 40 }, (_, nonce) =>
      net.sign({ key: alice, nonce, actions: [burst, burst], maxFee: MUCH }),
    )
    const others = Array.from({ length: 20 }, (_, nonce) =>
      net.sign({ key: nonce % 2 === 0 ? anna : bob, nonce: nonce >> 1, actions: [{}], maxFee: MUCH }),
    )
    const [, calm] = await Promise.all([
      net.chain.submit(storm, { wait: 'INCLUDED' }),
      net.chain.submit(others, { wait: 'INCLUDED' }),
    ])
    expect(statuses(calm)).toEqual(new Set(['EXECUTED']))
    await executed(storm)
    for (const shard of ['0:0', '0:1'])
      for (const { weight } of await headers(shard)) expect(Number(weight)).toBeLessThanOrEqual(MAX_BLOCK_WEIGHT)
    // Of each burst's messages, half go to the other shard, and of those half of what they send comes back.
    const [own, other] = [12, 10 + 10 * SPREAD]
    const there = (await headers('0:1')).reduce((sum, { weight }) => sum + Number(weight), 0)
    expect(there).toBeGreaterThan(80 * (BURST / 2) * (other + 10 * own))
    await mustReplay()
  })
})
