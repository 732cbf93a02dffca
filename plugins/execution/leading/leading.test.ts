import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { cellPath, decodeTransaction, encode, verifyCellProof } from '../../../protocol/index.ts'
import { checkPlugins } from '../../../server/host/check.ts'
import { type Node, startNode } from '../../../server/host/node.ts'
import { silentLog } from '../../../server/log.ts'
import { definePlugin, isFenced } from '../../../server/plugin.ts'
import { until } from '../../../server/testing/program.ts'
import { createTestDatabase, type TestDatabase } from '../../../server/testing/test-database.ts'
import { Ledger } from '../api.ts'
import type { Fence } from '../fence.ts'
import execution from '../index.ts'
import { RootStore } from '../root/root-store.ts'
import { createTestChain, takeOffice, testKey, testKeyIn } from '../testing.ts'

const alice = testKeyIn(0, 'alice')
const carol = testKeyIn(1, 'carol')

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

interface Member {
  readonly node: Node
  readonly ledger: Ledger
}

/** Starts a node with a data folder, and so a key, of its own. */
async function joinAs(database: TestDatabase, operatorKeyFile?: string): Promise<Member> {
  const dataDir = await mkdtemp(join(tmpdir(), 'deaios-leading-'))
  ends.push(() => rm(dataDir, { recursive: true, force: true }))
  let ledger: Ledger | undefined
  const probe = definePlugin({
    name: 'probe',
    version: '1.0.0',
    api: '^1.0.0',
    dependsOn: { execution: '^1.0.0' },
    requires: { ledger: Ledger },
    start(host) {
      ledger = host.use.ledger
    },
  })
  const settings = { verifierThreads: 1, ...(operatorKeyFile === undefined ? {} : { operatorKeyFile }) }
  const node = await startNode({
    plugins: checkPlugins([execution(settings), probe()]),
    dataDir,
    log: silentLog,
    openDatabase: () => database.open(),
  })
  ends.push(() => node.stop())
  if (ledger === undefined) throw new Error('the probe was not started')
  return { node, ledger }
}

const healthOf = (node: Node) => node.plugins.find(({ name }) => name === 'execution')?.health() ?? { ok: false }

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase()
  ends.push(() => database.drop())
  return database
}

describe('nodes that share a ledger', () => {
  it('found one network when they start at the same time; who has not its key serves all the same', async () => {
    const database = await emptyDatabase()
    const members = await Promise.all([joinAs(database), joinAs(database)])
    const [one, other] = members
    expect(one.ledger.network.id).toEqual(other.ledger.network.id)
    const banners = members.map(({ node }) => node.banner.find(({ label }) => label === 'operator')?.value)
    expect(banners.filter((value) => value?.includes('makes no blocks')).length).toBe(1)
    for (const [i, { ledger, node }] of members.entries()) {
      const { publicKey } = testKey(`payee ${i}`)
      expect(await ledger.faucet(publicKey)).toMatchObject({ kind: 'accepted', status: 'EXECUTED' })
      for (const reader of members) {
        const [cell] = await reader.ledger.cells(0, [publicKey])
        expect(cell).toMatchObject({ balance: 100_000_000_000n, shard: reader.ledger.shardOf(0, publicKey) })
        const proof = await reader.ledger.proof(0, publicKey)
        expect(verifyCellProof(proof ?? new Uint8Array(0), publicKey)?.cell?.balance).toBe(100_000_000_000n)
      }
      expect(await ledger.simulate(cellPath(publicKey))).toMatchObject({ kind: 'refused', code: 'MALFORMED' })
      expect(await healthOf(node)).toEqual({ ok: true })
    }
    const heights = (): (readonly number[])[] =>
      members.map(({ ledger }) => ledger.shards().map(({ height }) => height))
    await until(() => String(heights()[0]) === String(heights()[1]), 'both know the same heights')
    expect(one.ledger.supplyCheck().total).toBe(one.ledger.network.supply)
    // Unknown to both.
    for (const { ledger } of members) {
      expect(await ledger.states([new Uint8Array(32)])).toEqual([null])
      for await (const state of ledger.watch(new Uint8Array(32), new AbortController().signal)) expect(state).toBeNull()
    }
  })

  it('go on when the leader stops, and say so when nobody can', async () => {
    const database = await emptyDatabase()
    const folder = await mkdtemp(join(tmpdir(), 'deaios-key-'))
    ends.push(() => rm(folder, { recursive: true, force: true }))
    const key = join(folder, 'operator.key')
    const first = await joinAs(database, key)
    const second = await joinAs(database, key)
    const spectator = await joinAs(database)
    await first.node.stop()
    expect(await spectator.ledger.faucet(alice.publicKey)).toMatchObject({ status: 'EXECUTED' })
    await second.node.stop()
    await until(async () => !(await healthOf(spectator.node)).ok, 'nobody leads')
    expect(await healthOf(spectator.node)).toMatchObject({ message: 'no node makes blocks now' })
    expect(spectator.ledger.shards().map(({ status }) => status)).toEqual(['RESTARTING', 'RESTARTING', 'RESTARTING'])
    // What it knew by heart it still says.
    expect(spectator.ledger.rootHeight()).toBeGreaterThanOrEqual(0)
  })
})

describe('a leader that was replaced', () => {
  it('writes nothing more, and is told', async () => {
    let fenced = 0
    const net = await createTestChain({
      accounts: [{ key: alice, balance: 1_000_000n }],
      parts: { onFenced: () => fenced++ },
    })
    ends.push(() => net.close())
    const pay = (nonce: number): Uint8Array => net.transfer(alice, carol, 5n, nonce)
    await net.chain.submit([pay(0)], { wait: 'EXECUTED' })
    await net.settled()
    await net.sql`UPDATE core.lease SET expires_at = now()`
    await takeOffice(net.sql, '11111111-0000-4000-8000-000000000000')
    const written = async () => [
      await net.sql`SELECT shard, height FROM block`,
      await net.sql`SELECT height FROM root_block`,
    ]
    const before = await written()
    await expect(net.chain.submit([pay(1)], { wait: 'INCLUDED' })).rejects.toMatchObject({ code: 'SHARD_UNAVAILABLE' })
    await until(() => fenced > 0, 'it is told')
    await net.chain.abandon()
    expect(await written()).toEqual(before)
    expect(await net.sql`SELECT id FROM tx WHERE id = ${decodeTransaction(pay(1)).id}`).toEqual([])
  })

  it('is told so, and not of a fork, where the newer one lists what it was to list', async () => {
    const net = await createTestChain({ accounts: [{ key: alice, balance: 1_000_000n }] })
    ends.push(() => net.close())
    await net.chain.submit([net.transfer(alice, carol, 5n, 0)], { wait: 'EXECUTED' })
    await net.settled()
    await net.chain.abandon()
    await net.sql`UPDATE core.lease SET expires_at = now()`
    const office = await takeOffice(net.sql, '11111111-0000-4000-8000-000000000000')
    const tip = await new RootStore(net.sql, office).tip()
    const [listed] = await net.sql<{ shard: string; height: bigint }[]>`SELECT shard, height FROM root_entry`
    if (tip === undefined || listed === undefined) throw new TypeError('no root block lists anything')
    const entries = [{ shard: listed.shard, height: Number(listed.height), hash: new Uint8Array(32) }]
    const block = { ...tip, header: { ...tip.header, height: tip.header.height + 1 }, entries, exports: [] }
    const nothing = encode([])
    const made = { delta: nothing, exports: [], outcomes: [], events: { topics: [], count: 0, body: nothing } }
    const commitAs = (fence: Fence) => new RootStore(net.sql, fence).commit(block, made, new Uint8Array(0), [])
    const refused = await commitAs({ ...office, fence: office.fence - 1n }).catch((error: unknown) => error)
    expect(isFenced(refused), String(refused)).toBe(true)
    await expect(commitAs(office)).rejects.toMatchObject({ code: '23505' })
  })
})
