import { afterEach, describe, expect, it } from 'vitest'
import { decodeTransaction } from '../../../protocol/index.ts'
import { until } from '../../../server/testing/program.ts'
import { createTestChain, testKeyIn } from '../testing.ts'
import { createTestShardHost } from './testing.ts'

const alice = testKeyIn(0, 'alice')
const carol = testKeyIn(1, 'carol')

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function twoHalves() {
  const host = await createTestShardHost()
  ends.push(() => host.close())
  const net = await createTestChain({
    accounts: [
      { key: alice, balance: 1_000_000n },
      { key: carol, balance: 1_000_000n },
    ],
    shardHosts: [host.config],
  })
  ends.push(() => net.close())
  const running = (): boolean => net.chain.shards().every(({ status }) => status === 'RUNNING')
  await until(running, 'both shards run')
  return { host, net, running }
}

describe('a network with one shard in a thread and one on a shard host', () => {
  it('pays both ways, keeps each shard in its own database, and loses no coin', async () => {
    const { host, net } = await twoHalves()
    const there = net.transfer(alice, carol, 500n, 0)
    const back = net.transfer(carol, alice, 70n, 0)
    const outcomes = await net.chain.submit([there, back], { wait: 'EXECUTED' })
    expect(outcomes.map((outcome) => outcome.kind === 'accepted' && outcome.status)).toEqual(['EXECUTED', 'EXECUTED'])
    const check = await net.settled()
    expect(check.total).toBe(net.network.supply)
    expect(await net.balance(carol)).toBeLessThan(1_000_430n)
    expect(await net.balance(carol)).toBeGreaterThan(1_000_000n)
    const shardsIn = async (sql: typeof net.sql) =>
      (await sql`SELECT DISTINCT shard FROM block`).map(({ shard }) => shard)
    expect(await shardsIn(net.sql)).toEqual(['0:0'])
    expect(await shardsIn(host.sql)).toEqual(['0:1'])
    const ids = [there, back].map((wire) => decodeTransaction(wire).id)
    expect((await net.chain.states(ids)).map((state) => state?.status)).toEqual(['EXECUTED', 'EXECUTED'])
  })

  it('goes on by itself when the host comes back, and after a restart of the leader', async () => {
    const { host, net, running } = await twoHalves()
    await net.chain.submit([net.transfer(alice, carol, 5n, 0)], { wait: 'EXECUTED' })
    await host.stop()
    await until(() => net.chain.shards()[1]?.status === 'RESTARTING', 'the shard is missed')
    expect(net.chain.health()).toMatchObject({ ok: false })
    // The other shard goes on, and what it sends waits.
    const [sent] = await net.chain.submit([net.transfer(alice, carol, 7n, 1)], { wait: 'INCLUDED' })
    expect(sent).toMatchObject({ kind: 'accepted', status: 'INCLUDED' })
    await host.start()
    await until(running, 'it runs again')
    await until(async () => (await net.balance(carol)) === 1_000_012n, 'what waited arrives')
    await net.restart()
    await until(running, 'it runs for the next leader')
    await net.chain.submit([net.transfer(carol, alice, 1n, 0)], { wait: 'EXECUTED' })
    expect((await net.settled()).total).toBe(net.network.supply)
  })

  it('starts without the host, and checks the supply as soon as it is back', async () => {
    const { host, net, running } = await twoHalves()
    await host.stop()
    await net.restart()
    await net.chain.submit([net.transfer(alice, carol, 3n, 0)], { wait: 'INCLUDED' })
    expect(running()).toBe(false)
    await host.start()
    await until(running, 'it runs')
    await until(async () => (await net.balance(carol)) === 1_000_003n, 'what waited arrives')
    expect((await net.settled()).total).toBe(net.network.supply)
  })
})
