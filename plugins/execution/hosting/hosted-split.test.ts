import { afterEach, describe, expect, it } from 'vitest'
import { type Action, cellId, ROOT_REALM } from '../../../protocol/index.ts'
import type { SigningKey } from '../../../server/crypto/ed25519.ts'
import { until } from '../../../server/testing/program.ts'
import { UNITS } from '../genesis.ts'
import { realmSalt } from '../modules/realm.ts'
import { verifyDatabase } from '../replay/verify.ts'
import { createTestChain, type TestChain, testKey, testKeyIn } from '../testing.ts'
import { createTestShardHost, type TestShardHost } from './testing.ts'

const BOND = 1000n
const alice = testKeyIn(0, 'alice')
const bob = testKeyIn(1, 'bob')
const many = Array.from({ length: 12 }, (_, i) => testKey(`party ${i}`))

let host: TestShardHost
let net: TestChain
afterEach(async () => {
  await net.close()
  await host.close()
})

async function found(places: readonly string[]): Promise<void> {
  host = await createTestShardHost({ places })
  const accounts = [alice, bob, ...many].map((key) => ({ key, balance: UNITS }))
  net = await createTestChain({ accounts, plan: { realmBond: BOND }, shardHosts: [host.config] })
}

/** Everybody pays the next one. */
async function payRound(nonce: number): Promise<void> {
  const wires = many.map((key, i) => net.transfer(key, many[(i + 1) % many.length] ?? key, 7n, nonce))
  await until(async () => {
    const outcomes = await net.chain.submit(wires, { wait: 'EXECUTED' }).catch(() => [])
    return (
      outcomes.length > 0 && outcomes.every((outcome) => outcome.kind === 'accepted' && outcome.status === 'EXECUTED')
    )
  }, 'everybody has paid')
}

async function isSound(): Promise<void> {
  expect((await net.settled()).total).toBe(net.network.supply)
  const { sql, modules: offered } = net
  await verifyDatabase({ sql, offered, shardHosts: [host.config] })
}

const shardsIn = async (sql: TestChain['sql']) =>
  (await sql<{ id: string }[]>`SELECT id FROM shard ORDER BY id`).map(({ id }) => id)

const isRunning = (shard: string): boolean =>
  net.chain.shards().some(({ id, status }) => id === shard && status === 'RUNNING')

describe('a shard on a shard host that is split', () => {
  it('goes on there as two, again after restarts, and its chain can be executed again', async () => {
    await found(['0:1'])
    await payRound(0)
    await net.split('0:1')
    await payRound(1)
    await net.split('0:11')
    await payRound(2)
    expect(await shardsIn(net.sql)).toEqual(['0:0'])
    expect(await shardsIn(host.sql)).toEqual(['0:1', '0:10', '0:11', '0:110', '0:111'])
    await net.restart()
    await host.stop()
    await host.start()
    await payRound(3)
    await isSound()
    // The events of all blocks came over, each once, those of a parent before those of its children.
    await until(
      async () => (await host.sql`SELECT id FROM core.event_batch`).length === 0,
      'all events are handed over',
    )
    const told = await net.sql<{ shard: string; height: bigint }[]>`
      SELECT shard, height FROM core.event_batch WHERE shard LIKE '0:1%' ORDER BY id`
    const made = await host.sql<{ shard: string; height: bigint }[]>`
      SELECT shard, height FROM block WHERE height > 0 ORDER BY shard, height`
    const bySpace = (a: { shard: string; height: bigint }, b: typeof a) =>
      a.shard === b.shard ? Number(a.height - b.height) : a.shard < b.shard ? -1 : 1
    expect([...told].sort(bySpace)).toEqual([...made].sort(bySpace))
    const first = (shard: string) => told.findIndex((row) => row.shard === shard)
    const last = (shard: string) => told.findLastIndex((row) => row.shard === shard)
    for (const shard of ['0:1', '0:11']) {
      expect(first(`${shard}0`)).toBeGreaterThan(last(shard))
      expect(first(`${shard}1`)).toBeGreaterThan(last(shard))
    }
  })

  it('is split all the same if its host goes away meanwhile', async () => {
    await found(['0:1'])
    await payRound(0)
    const split = net.split('0:1')
    await until(() => net.chain.rootHeight() > 0, 'the root chain goes on')
    await host.stop()
    await host.start()
    await split
    await payRound(1)
    await isSound()
  })
})

describe('a realm that is placed on a shard host', () => {
  it('is born there, pays and is paid, and stays there whatever the configuration says later', async () => {
    await found(['1:'])
    expect(await shardsIn(host.sql)).toEqual([])
    const act = async (key: SigningKey, nonce: number, action: Partial<Action>, realm = 0) => {
      const wire = net.sign({ key, realm, nonce, actions: [action] })
      const [outcome] = await net.chain.submit([wire], { wait: 'EXECUTED' })
      expect(outcome).toMatchObject({ kind: 'accepted', status: 'EXECUTED' })
    }
    const cell = cellId('realm', alice.publicKey, realmSalt('games'))
    const create = { to: cell, realm: ROOT_REALM, call: 'realm.create', args: { name: 'games', shards: 2 } }
    await act(alice, 0, { ...create, value: 2n * BOND + 100_000n })
    await until(() => isRunning('1:0') && isRunning('1:1'), 'the realm is there')
    await act(alice, 1, { to: bob.publicKey, realm: 1, value: 50_000n })
    await act(bob, 0, { to: alice.publicKey, realm: 0, value: 1_000n }, 1)
    expect(await shardsIn(host.sql)).toEqual(['1:0', '1:1'])
    expect(await net.sql`SELECT shard, host FROM shard_home ORDER BY shard`).toEqual([
      { shard: '0:0', host: null },
      { shard: '0:1', host: null },
      { shard: '1:0', host: 'other' },
      { shard: '1:1', host: 'other' },
    ])
    await net.restart()
    await until(() => isRunning('1:0') && isRunning('1:1'), 'the realm is there')
    await act(bob, 1, { to: alice.publicKey, realm: 0, value: 1_000n }, 1)
    await isSound()
  })
})
