import { afterEach, describe, expect, it } from 'vitest'
import { createTestChain, type TestChain, testKeyIn } from './testing.ts'

const alice = testKeyIn(0, 'alice')
const bob = testKeyIn(0, 'bob')
const carol = testKeyIn(1, 'carol')
const accounts = [
  { key: alice, balance: 1_000_000n },
  { key: bob, balance: 500_000n },
]

let net: TestChain
afterEach(() => net.close())

describe('two shards and their root chain', () => {
  it('move coins within a shard and across, and lose none', async () => {
    net = await createTestChain({ accounts })
    const here = net.transfer(alice, bob, 1000n, 0)
    const there = net.transfer(alice, carol, 2000n, 1)
    const outcomes = await net.chain.submit([here, there], { wait: 'EXECUTED' })
    expect(outcomes).toMatchObject([
      { kind: 'accepted', duplicate: false, status: 'EXECUTED', at: { shard: '0:0' } },
      { kind: 'accepted', duplicate: false, status: 'EXECUTED', at: { shard: '0:0' } },
    ])
    expect(await net.balance(bob)).toBe(501_000n)
    expect(await net.balance(carol)).toBe(2000n)
    const { total } = await net.settled()
    expect(total).toBe(net.network.supply)
  })

  it('answer a repeated submission with what is known, and pay once', async () => {
    net = await createTestChain({ accounts })
    const wire = net.transfer(alice, carol, 700n, 0)
    const first = await net.chain.submit([wire, wire], { wait: 'EXECUTED' })
    expect(first.map((outcome) => outcome.kind)).toEqual(['accepted', 'accepted'])
    const again = await net.chain.submit([wire], { wait: 'EXECUTED' })
    expect(again).toMatchObject([{ kind: 'accepted', duplicate: true, status: 'EXECUTED' }])
    expect(await net.balance(carol)).toBe(700n)
    await net.restart()
    expect(await net.chain.submit([wire], { wait: 'NONE' })).toMatchObject([{ duplicate: true, status: 'EXECUTED' }])
    expect(await net.balance(carol)).toBe(700n)
  })

  it('know what they have done even if it comes again when its time is over', async () => {
    net = await createTestChain({ accounts })
    const action = { to: bob.publicKey, value: 7n }
    const wire = net.sign({ key: alice, nonce: 0, actions: [action], validUntil: net.chain.rootHeight() + 3 })
    const never = net.sign({ key: alice, nonce: 9, actions: [action], validUntil: net.chain.rootHeight() + 3 })
    await net.chain.submit([wire], { wait: 'EXECUTED' })
    for (let nonce = 1; net.chain.rootHeight() < 10; nonce++)
      await net.chain.submit([net.transfer(alice, carol, 1n, nonce)], { wait: 'EXECUTED' })
    expect(await net.chain.submit([wire, never], { wait: 'INCLUDED' })).toMatchObject([
      { kind: 'accepted', duplicate: true, status: 'EXECUTED' },
      { kind: 'refused', code: expect.stringMatching(/EXPIRED|NONCE_USED/) },
    ])
  })

  it('go on where they stopped', async () => {
    net = await createTestChain({ accounts })
    for (let nonce = 0; nonce < 3; nonce++) {
      await net.chain.submit([net.transfer(alice, carol, 10n, nonce)], { wait: 'EXECUTED' })
      await net.restart()
    }
    expect(await net.balance(carol)).toBe(30n)
    expect((await net.settled()).total).toBe(net.network.supply)
  })

  it('bring a refused value home', async () => {
    net = await createTestChain({ accounts })
    const [outcome] = await net.chain.submit(
      [
        net.sign({
          key: alice,
          nonce: 0,
          actions: [{ to: carol.publicKey, call: 'faucet.drip', args: { to: bob.publicKey }, value: 5000n }],
        }),
      ],
      { wait: 'EXECUTED' },
    )
    expect(outcome).toMatchObject({ kind: 'accepted', status: 'FAILED' })
    const fee = 1_000_000n - (await net.balance(alice))
    expect(fee).toBeGreaterThan(0n)
    expect(fee).toBeLessThan(100n)
    expect((await net.settled()).total).toBe(net.network.supply)
  })

  it('pay from the faucet', async () => {
    net = await createTestChain({ accounts })
    const outcomes = await Promise.all([carol, alice, bob].map((key) => net.chain.faucet(key.publicKey)))
    expect(outcomes).toMatchObject([{ status: 'EXECUTED' }, { status: 'EXECUTED' }, { status: 'EXECUTED' }])
    expect(await net.balance(carol)).toBe(1000n)
  })
})
