import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeTransaction } from '../../../protocol/index.ts'
import { until } from '../../../server/testing/program.ts'
import { createTestDatabase } from '../../../server/testing/test-database.ts'
import { createTestChain, type TestChain, testKeyIn } from '../testing.ts'
import { createTestShardHost, type TestShardHost, urlOf } from './testing.ts'

const FIRST = 1_000_000n
const alice = testKeyIn(0, 'alice')
const carol = testKeyIn(1, 'carol')
const dora = testKeyIn(1, 'dora')

let host: TestShardHost
let net: TestChain
beforeAll(async () => {
  host = await createTestShardHost()
  const accounts = [alice, carol].map((key) => ({ key, balance: FIRST }))
  net = await createTestChain({ accounts, shardHosts: [host.config] })
})
afterAll(async () => {
  await net?.close()
  await host?.close()
})

const statusOf = (shard: string) => net.chain.shards().find(({ id }) => id === shard)?.status
const areRunning = (): boolean => statusOf('0:0') === 'RUNNING' && statusOf('0:1') === 'RUNNING'

describe('a network with one shard in a thread and one on a shard host', () => {
  it('pays both ways, keeps each shard in its own database, and loses no coin', async () => {
    const there = net.transfer(alice, dora, 500n, 0)
    const back = net.transfer(carol, alice, 70n, 0)
    const outcomes = await net.chain.submit([there, back], { wait: 'EXECUTED' })
    expect(outcomes.map((outcome) => outcome.kind === 'accepted' && outcome.status)).toEqual(['EXECUTED', 'EXECUTED'])
    expect((await net.settled()).total).toBe(net.network.supply)
    expect(await net.balance(dora)).toBe(500n)
    const shardsIn = async (sql: TestChain['sql']) =>
      (await sql`SELECT DISTINCT shard FROM block`).map(({ shard }) => shard)
    expect(await shardsIn(net.sql)).toEqual(['0:0'])
    expect(await shardsIn(host.sql)).toEqual(['0:1'])
    const ids = [there, back].map((wire) => decodeTransaction(wire).id)
    expect((await net.chain.states(ids)).map((state) => state?.status)).toEqual(['EXECUTED', 'EXECUTED'])
  })

  it('goes on by itself when the host comes back: what was sent meanwhile arrives', async () => {
    await host.stop()
    await until(() => statusOf('0:1') === 'RESTARTING', 'the shard is missed')
    expect(net.chain.health()).toEqual({ ok: true, message: 'shard 0:1 is restarting on its shard host' })
    const [sent] = await net.chain.submit([net.transfer(alice, dora, 7n, 1)], { wait: 'INCLUDED' })
    expect(sent).toMatchObject({ kind: 'accepted', status: 'INCLUDED' })
    await expect(net.chain.submit([net.transfer(carol, alice, 1n, 1)], { wait: 'INCLUDED' })).rejects.toMatchObject({
      code: 'SHARD_UNAVAILABLE',
    })
    await host.start()
    await until(areRunning, 'it runs again')
    await until(async () => (await net.balance(dora)) === 507n, 'what waited arrives')
  })

  it('has a next leader that starts without the host, and checks the supply as soon as that is back', async () => {
    await host.stop()
    await net.restart()
    await net.chain.submit([net.transfer(alice, dora, 3n, 2)], { wait: 'INCLUDED' })
    expect(areRunning()).toBe(false)
    await host.start()
    await until(areRunning, 'it runs')
    await until(async () => (await net.balance(dora)) === 510n, 'what waited arrives')
    await net.chain.submit([net.transfer(carol, alice, 1n, 1)], { wait: 'EXECUTED' })
    expect((await net.settled()).total).toBe(net.network.supply)
  })
})

it('a network starts before its shard host ever did, and says of that database that it is not there', async () => {
  const empty = await createTestDatabase()
  const shardHosts = [{ ...host.config, url: 'ws://127.0.0.1:9/shard-host', database: urlOf(empty.options) }]
  const young = await createTestChain({ accounts: [{ key: alice, balance: FIRST }], shardHosts })
  try {
    const [sent] = await young.chain.submit([young.transfer(alice, carol, 5n, 0)], { wait: 'INCLUDED' })
    expect(sent).toMatchObject({ kind: 'accepted', status: 'INCLUDED' })
    await expect(young.chain.states([new Uint8Array(32)])).rejects.toMatchObject({ code: 'CONNECT_TIMEOUT' })
    expect(young.chain.health().message).toContain('on its shard host')
  } finally {
    await young.close()
    await empty.drop()
  }
})
