import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TransactionState } from '../../../plugins/execution/api.ts'
import { account } from '../../../plugins/execution/modules/account.ts'
import { faucet } from '../../../plugins/execution/modules/faucet.ts'
import { createTestChain, type TestChain, testKey, testKeyIn } from '../../../plugins/execution/testing.ts'
import { decodeTransaction } from '../../../protocol/index.ts'
import { until } from '../../../server/testing/program.ts'
import { bomb } from '../modules/bomb.ts'

const alice = testKeyIn(0, 'alice')
const bob = testKeyIn(1, 'bob')
const nobody = testKeyIn(0, 'nobody')
const accounts = [alice, bob].map((key) => ({ key, balance: 1_000_000n }))

let net: TestChain
beforeEach(async () => {
  net = await createTestChain({ accounts, modules: [account, faucet, bomb] })
})
afterEach(() => net.close())

const status = (shard: string) => net.chain.shards().find(({ id }) => id === shard)?.status

/** Ends the thread of alice's shard and waits until it is back. */
async function crash(): Promise<void> {
  const action = { to: nobody.publicKey, call: 'bomb.explode', args: { how: 'exit' } }
  await expect(net.chain.simulate(net.sign({ key: alice, nonce: 0, actions: [action] }))).rejects.toMatchObject({
    code: 'SHARD_UNAVAILABLE',
  })
  await until(() => status('0:0') === 'RUNNING', 'the shard runs again')
}

describe('when a shard’s thread crashes', () => {
  it('the shard says so and comes back, the other runs on', async () => {
    const roots = () => net.chain.shards().flatMap(({ id, stateRoot }) => (id === 'root' ? [] : [stateRoot]))
    const before = roots()
    const seen = new Set<unknown>()
    const watching = setInterval(() => seen.add(`${status('0:0')} ${net.chain.health().message}`), 5)
    await crash()
    clearInterval(watching)
    expect([...seen].join('; ')).toContain('RESTARTING shard 0:0 is restarting')
    expect([...seen].join('; ')).not.toContain('shard 0:1')
    expect(roots()).toEqual(before)
    expect(await net.chain.submit([net.transfer(alice, bob, 5n, 0)], { wait: 'EXECUTED' })).toMatchObject([
      { status: 'EXECUTED' },
    ])
    expect((await net.settled()).total).toBe(net.network.supply)
  })

  it('what was not in a block yet waits on, and who follows it sees nothing of the crash', async () => {
    // Nonce 0 is missing, so it waits.
    const wire = net.transfer(alice, bob, 5n, 1)
    expect(await net.chain.submit([wire], { wait: 'NONE' })).toMatchObject([{ status: 'PENDING' }])
    const states: TransactionState[] = []
    const watching = (async () => {
      for await (const state of net.chain.watch(decodeTransaction(wire).id, AbortSignal.timeout(60_000)))
        states.push(state)
    })()
    await until(() => states.length === 1, 'the watch began')
    await crash()
    expect((await net.chain.states([decodeTransaction(wire).id]))[0]).toMatchObject({
      status: 'PENDING',
      pending: wire,
    })
    await net.chain.submit([net.transfer(alice, bob, 5n, 0)], { wait: 'EXECUTED' })
    await watching
    // Each look finds the state of then: one that lasts a moment only may be missed.
    const statuses = states.map((state) => state.status)
    expect(statuses.filter((status) => status !== 'INCLUDED')).toEqual(['PENDING', 'EXECUTED'])
    expect(await net.balance(bob)).toBe(1_000_010n)
  })

  it('who waits for an answer gets it', async () => {
    const wire = net.transfer(alice, bob, 5n, 1)
    const waiting = net.chain.submit([wire], { wait: 'INCLUDED' })
    const { id } = decodeTransaction(wire)
    await until(async () => (await net.chain.states([id]))[0]?.status === 'PENDING', 'it waits in the shard')
    await crash()
    await net.chain.submit([net.transfer(alice, bob, 5n, 0)], { wait: 'INCLUDED' })
    expect(await waiting).toMatchObject([{ kind: 'accepted', duplicate: false }])
  })

  it('the faucet pays on', async () => {
    const home = net.chain.shardOf(0, testKey('operator').publicKey)
    const cell = home === '0:0' ? nobody : testKeyIn(1, 'nobody')
    const wire = net.sign({
      key: home === '0:0' ? alice : bob,
      nonce: 0,
      actions: [{ to: cell.publicKey, call: 'bomb.explode', args: { how: 'exit' } }],
    })
    for (let round = 0; round < 3; round++) {
      expect(await net.chain.faucet(bob.publicKey)).toMatchObject({ kind: 'accepted', status: 'EXECUTED' })
      // Some of these are lost with the thread, and their nonces with them.
      const paying = Array.from({ length: 5 }, () => net.chain.faucet(bob.publicKey).catch(() => undefined))
      await net.chain.simulate(wire).catch(() => undefined)
      await Promise.all(paying)
      await until(() => net.chain.health().ok, 'the shard runs again')
    }
    const before = await net.balance(bob)
    expect(await net.chain.faucet(bob.publicKey)).toMatchObject({ kind: 'accepted', status: 'EXECUTED' })
    expect(await net.balance(bob)).toBe(before + 1000n)
  })
})
