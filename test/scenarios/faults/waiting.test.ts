import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTestChain, type TestChain, testKeyIn } from '../../../plugins/execution/testing.ts'
import { until } from '../../../server/testing/program.ts'

const alice = testKeyIn(0, 'alice')
const bob = testKeyIn(1, 'bob')
const BALANCE = 1_000_000n

let net: TestChain
beforeEach(async () => {
  net = await createTestChain({ accounts: [{ key: alice, balance: BALANCE }] })
})
afterEach(() => net.close())

describe('a transaction that waits for funds', () => {
  it('costs no blocks while it waits, and is included when they come', async () => {
    // Each could be paid alone; together they cannot.
    const all = { to: bob.publicKey, value: BALANCE - 100n }
    const first = net.sign({ key: alice, nonce: 0, lane: 0, maxFee: 50n, actions: [all] })
    const second = net.sign({ key: alice, nonce: 0, lane: 1, maxFee: 50n, actions: [all] })
    const [included, waiting] = await Promise.all([
      net.chain.submit([first], { wait: 'EXECUTED' }),
      net.chain.submit([second], { wait: 'NONE' }),
    ])
    expect(included).toMatchObject([{ status: 'EXECUTED' }])
    expect(waiting).toMatchObject([{ kind: 'accepted', status: 'PENDING' }])
    await net.settled()
    const heights = () => net.chain.shards().flatMap(({ id, height }) => (id === 'root' ? [] : [height]))
    const before = heights()
    const root = net.chain.rootHeight()
    await sleep(2500)
    expect(heights()).toEqual(before)
    // Without work the root chain only keeps time.
    expect(net.chain.rootHeight() - root).toBeLessThan(6)
    const back = net.sign({ key: bob, nonce: 0, actions: [{ to: alice.publicKey, value: BALANCE - 120n }] })
    expect(await net.chain.submit([back], { wait: 'EXECUTED' })).toMatchObject([{ status: 'EXECUTED' }])
    expect(await net.chain.submit([second], { wait: 'EXECUTED' })).toMatchObject([
      { duplicate: true, status: 'EXECUTED' },
    ])
    expect((await net.settled()).total).toBe(net.network.supply)
  })
})

describe('a transaction that waits for the one before it', () => {
  it('answers those who have waited longest, when many do', async () => {
    // Nonce 0 is missing, so it waits.
    const wire = net.transfer(alice, bob, 5n, 1)
    const answered: number[] = []
    const waiting = Array.from({ length: 20 }, async (_, i) => {
      const [outcome] = await net.chain.submit([wire], { wait: 'INCLUDED' })
      answered.push(i)
      return outcome?.kind === 'accepted' ? outcome.status : outcome?.code
    })
    await until(() => answered.length === 4, 'some are answered')
    await net.chain.submit([net.transfer(alice, bob, 5n, 0)], { wait: 'INCLUDED' })
    const statuses = await Promise.all(waiting)
    expect(statuses.filter((status) => status === 'PENDING')).toHaveLength(4)
    expect(statuses.filter((status) => status === 'INCLUDED')).toHaveLength(16)
  })
})
