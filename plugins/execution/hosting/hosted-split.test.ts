import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Action, cellId, ROOT_REALM } from '../../../protocol/index.ts'
import type { SigningKey } from '../../../server/crypto/ed25519.ts'
import { until } from '../../../server/testing/program.ts'
import { UNITS } from '../genesis.ts'
import { realmSalt } from '../modules/realm.ts'
import { verifyDatabase } from '../replay/verify.ts'
import { importSnapshot, readSnapshot, writeSnapshot } from '../snapshot/index.ts'
import { createTestChain, type TestChain, testKey, testKeyIn } from '../testing.ts'
import { createTestShardHost, type TestShardHost } from './testing.ts'

const BOND = 1000n
const alice = testKeyIn(0, 'alice')
const bob = testKeyIn(0, 'bob')
const many = Array.from({ length: 12 }, (_, i) => testKey(`party ${i}`))

let host: TestShardHost
let net: TestChain
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deaios-hosted-'))
  host = await createTestShardHost({ places: ['0:1', '1:'] })
  const accounts = [alice, bob, ...many].map((key) => ({ key, balance: UNITS }))
  net = await createTestChain({ accounts, plan: { realmBond: BOND }, shardHosts: [host.config] })
})
afterAll(async () => {
  await net?.close()
  await host?.close()
  await rm(folder, { recursive: true, force: true })
})

let rounds = 0
/** Everybody pays the next one. */
async function payRound(): Promise<void> {
  const wires = many.map((key, i) => net.transfer(key, many[(i + 1) % many.length] ?? key, 7n, rounds))
  rounds++
  await until(async () => {
    const outcomes = await net.chain.submit(wires, { wait: 'EXECUTED' }).catch(() => [])
    return (
      outcomes.length > 0 && outcomes.every((outcome) => outcome.kind === 'accepted' && outcome.status === 'EXECUTED')
    )
  }, 'everybody has paid')
}

async function act(key: SigningKey, nonce: number, action: Partial<Action>, realm = 0): Promise<void> {
  const wire = net.sign({ key, realm, nonce, actions: [action] })
  const [outcome] = await net.chain.submit([wire], { wait: 'EXECUTED' })
  expect(outcome).toMatchObject({ kind: 'accepted', status: 'EXECUTED' })
}

const shardsIn = async (sql: TestChain['sql']) =>
  (await sql<{ id: string }[]>`SELECT id FROM shard ORDER BY id`).map(({ id }) => id)

const isRunning = (shard: string): boolean =>
  net.chain.shards().some(({ id, status }) => id === shard && status === 'RUNNING')

it('a shard on a shard host that is split goes on there as two', async () => {
  await payRound()
  await net.split('0:1')
  await payRound()
  expect(await shardsIn(net.sql)).toEqual(['0:0'])
  expect(await shardsIn(host.sql)).toEqual(['0:1', '0:10', '0:11'])
})

it('it is split all the same if its host goes away meanwhile', async () => {
  const split = net.split('0:11')
  const height = net.chain.rootHeight()
  await until(() => net.chain.rootHeight() > height, 'the root chain goes on')
  await host.stop()
  await host.start()
  await split
  await payRound()
})

it('a realm that is placed there is born there, pays and is paid', async () => {
  const cell = cellId('realm', alice.publicKey, realmSalt('games'))
  const create = { to: cell, realm: ROOT_REALM, call: 'realm.create', args: { name: 'games', shards: 2 } }
  await act(alice, 0, { ...create, value: 2n * BOND + 100_000n })
  await until(() => isRunning('1:0') && isRunning('1:1'), 'the realm is there')
  await act(alice, 1, { to: bob.publicKey, realm: 1, value: 50_000n })
  await act(bob, 0, { to: alice.publicKey, realm: 0, value: 1_000n }, 1)
  expect(await shardsIn(host.sql)).toEqual(['0:1', '0:10', '0:11', '0:110', '0:111', '1:0', '1:1'])
  expect(await net.sql`SELECT shard, host FROM shard_home ORDER BY shard`).toEqual([
    { shard: '0:0', host: null },
    { shard: '0:1', host: 'other' },
    { shard: '1:0', host: 'other' },
    { shard: '1:1', host: 'other' },
  ])
})

it('all of them are there for the next leader, and the whole chain can be executed again', async () => {
  await net.restart()
  await until(() => ['0:10', '0:110', '0:111', '1:0', '1:1'].every(isRunning), 'all run')
  await payRound()
  await act(bob, 1, { to: alice.publicKey, realm: 0, value: 1_000n }, 1)
  expect((await net.settled()).total).toBe(net.network.supply)
  const { sql, modules: offered } = net
  await verifyDatabase({ sql, offered, shardHosts: [host.config] })
  // Without the shard host in the configuration nobody knows where to look.
  await expect(verifyDatabase({ sql, offered })).rejects.toMatchObject({ code: 'SHARD_HOST_UNKNOWN' })
})

it('any height of it can be verified from there on, put into a snapshot, and goes on in one database', {
  timeout: 60_000,
}, async () => {
  const { sql, modules: offered } = net
  const shardHosts = [host.config]
  const last = net.chain.rootHeight()
  const [born] = await sql<{ root: bigint }[]>`SELECT root FROM root_entry WHERE shard = '0:10' ORDER BY height LIMIT 1`
  const split = Number(born?.root)
  const between = last - Math.floor((last - split) * Math.random())
  for (const height of new Set([1, split - 1, split, between, last])) {
    const report = await verifyDatabase({ sql, offered, shardHosts, from: height })
    expect(report, `from ${height}`).toMatchObject({ from: height, snapshot: null })
    await writeSnapshot({ sql, shardHosts, path: join(folder, `${height}`), height })
    await readSnapshot(join(folder, `${height}`), { network: net.network.id })
  }
  await expect(writeSnapshot({ sql, path: join(folder, 'none') })).rejects.toMatchObject({ code: 'SHARD_HOST_UNKNOWN' })
  await expect(writeSnapshot({ sql: host.sql, path: join(folder, 'none') })).rejects.toMatchObject({
    code: 'NO_NETWORK',
  })
  const away = { ...host.config, database: 'postgres://deaios@127.0.0.1:9/none' }
  const unread = writeSnapshot({ sql, shardHosts: [away], path: join(folder, 'none') })
  await expect(unread).rejects.toMatchObject({
    code: 'SHARD_HOST_DATABASE',
    message: expect.stringContaining('"other"'),
  })
  // All shards live with the node then, whatever the places say.
  const copy = await createTestChain({
    async found(there) {
      await importSnapshot({ sql: there, path: join(folder, `${last}`) })
      return net.network
    },
    shardHosts,
  })
  try {
    expect((await copy.settled()).total).toBe(net.network.supply)
    expect(await shardsIn(copy.sql)).toEqual(expect.arrayContaining(['0:0', '0:10', '0:110', '0:111', '1:0', '1:1']))
    const report = await verifyDatabase({ sql: copy.sql, offered, shardHosts })
    expect(report).toMatchObject({ from: last, snapshot: last })
  } finally {
    await copy.close()
  }
})

it('the events of all blocks came over, each once, those of a parent before those of its children', async () => {
  await until(async () => (await host.sql`SELECT id FROM core.event_batch`).length === 0, 'all are handed over')
  const told = await net.sql<{ shard: string; height: bigint }[]>`
    SELECT shard, height FROM core.event_batch WHERE shard LIKE '0:1%' OR shard LIKE '1:%' ORDER BY id`
  const made = await host.sql<{ shard: string; height: bigint }[]>`
    SELECT shard, height FROM block WHERE height > 0 OR shard LIKE '1:%'`
  const names = (rows: readonly { shard: string; height: bigint }[]) =>
    rows.map(({ shard, height }) => `${shard}/${height}`)
  expect(names(told).sort()).toEqual(names(made).sort())
  for (const { shard } of made) {
    const heights = told.filter((row) => row.shard === shard).map(({ height }) => Number(height))
    expect(heights).toEqual([...heights].sort((a, b) => a - b))
  }
  const first = (shard: string) => told.findIndex((row) => row.shard === shard)
  const last = (shard: string) => told.findLastIndex((row) => row.shard === shard)
  for (const shard of ['0:1', '0:11'])
    for (const child of [`${shard}0`, `${shard}1`]) expect(first(child)).toBeGreaterThan(last(shard))
})
