import { serialize } from 'node:v8'
import { afterEach, describe, expect, it } from 'vitest'
import { encodeGenesis } from '../../../protocol/index.ts'
import { dial } from '../../../server/links.ts'
import { silentLog } from '../../../server/log.ts'
import { pause } from '../../../server/plugin.ts'
import { until } from '../../../server/testing/program.ts'
import { planGenesis } from '../genesis.ts'
import { account } from '../modules/account.ts'
import { createTestChain, testKey, testKeyIn } from '../testing.ts'
import { HostLink, type LinkedShard } from './host-link.ts'
import { HostStore } from './host-store.ts'
import { createTestShardHost, type TestShardHost } from './testing.ts'

const LEASE = 'execution/chain'
const alice = testKeyIn(0, 'alice')
const carol = testKeyIn(1, 'carol')

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function aHost(): Promise<TestShardHost> {
  const host = await createTestShardHost()
  ends.push(() => host.close())
  return host
}

const documentOf = (name: string): Uint8Array => {
  const plan = {
    name,
    kind: 'development',
    shards: 2,
    basePrice: 1n,
    depositPerByte: 1n,
    drip: 1n,
    accounts: [],
  } as const
  const { publicKey: operator } = testKey('operator')
  return encodeGenesis(planGenesis(plan, { operator, anchor: new Uint8Array(32), modules: [account], time: 1 }))
}

/** A leader's way to the host, with what it was told. */
function linkTo(host: TestShardHost, leader: bigint, secret = host.secret) {
  const told: string[] = []
  const link = new HostLink({
    name: 'other',
    url: host.config.url,
    secret,
    document: documentOf('one'),
    fence: leader,
    log: silentLog,
    onFenced: () => told.push('fenced'),
    rootMoment: () => Promise.reject(new Error('there is none')),
  })
  const shard: LinkedShard = {
    id: '0:1',
    up: () => told.push('up'),
    down: ({ code, message }) => told.push(message.includes('401') ? 'refused' : code),
    take: () => undefined,
  }
  link.attach(shard)
  ends.push(() => link.detach(shard))
  return { link, told }
}

describe('office in the database of a shard host', () => {
  it('is taken anew by each connection, and never by an older leader than the last', async () => {
    const { sql } = await aHost()
    const store = new HostStore(sql, LEASE)
    const first = await store.takeOffice(documentOf('one'), 7n)
    const again = await store.takeOffice(documentOf('one'), 7n)
    expect(again.fence.fence).toBeGreaterThan(first.fence.fence)
    await expect(sql`SELECT core.check_fence(${LEASE}, ${first.fence.fence})`).rejects.toMatchObject({ code: 'DF001' })
    await sql`SELECT core.check_fence(${LEASE}, ${again.fence.fence})`
    await expect(store.takeOffice(documentOf('one'), 6n)).rejects.toMatchObject({ code: 'DF001' })
    expect((await store.takeOffice(documentOf('one'), 8n)).fence.fence).toBeGreaterThan(again.fence.fence)
  })

  it('waits for what a session before has begun, and ends one that stands still', async () => {
    const { sql } = await aHost()
    const store = new HostStore(sql, LEASE)
    const { fence } = await store.takeOffice(documentOf('one'), 1n)
    const begun = sql.begin(async (tx) => {
      await tx`SELECT core.check_fence(${LEASE}, ${fence.fence})`
      await pause(60_000)
    })
    const ended = expect(begun).rejects.toThrow()
    await until(async () => (await sql`SELECT FROM pg_locks WHERE locktype = 'advisory'`).length > 0, 'it has begun')
    await store.takeOffice(documentOf('one'), 1n)
    await ended
  })

  it('is for one network, and not in the database of a node', async () => {
    const { sql } = await aHost()
    const store = new HostStore(sql, LEASE)
    await store.takeOffice(documentOf('one'), 1n)
    await expect(store.takeOffice(documentOf('two'), 2n)).rejects.toMatchObject({ code: 'WRONG_NETWORK' })
    const net = await createTestChain()
    ends.push(() => net.close())
    const own = new HostStore(net.sql, LEASE)
    const document = encodeGenesis(net.network.genesis)
    await expect(own.takeOffice(document, 99n)).rejects.toMatchObject({ code: 'NOT_A_HOST_DATABASE' })
  })

  it('founds what genesis makes once, and continues nothing that is not what the root chain lists', async () => {
    const { sql } = await aHost()
    const store = new HostStore(sql, LEASE)
    const { network, fence } = await store.takeOffice(documentOf('one'), 1n)
    const assignment = { shard: '0:1', tuning: null, listed: null, from: 0 }
    expect(await store.open(network, assignment, fence)).toBe(0)
    expect(await store.open(network, assignment, fence)).toBe(0)
    const [block] = await sql<{ hash: Uint8Array }[]>`SELECT hash FROM block`
    const hash = block?.hash ?? new Uint8Array(0)
    expect(await store.open(network, { ...assignment, listed: { height: 0, hash } }, fence)).toBe(0)
    for (const listed of [
      { height: 0, hash: new Uint8Array(32) },
      { height: 3, hash },
    ])
      await expect(store.open(network, { ...assignment, listed }, fence)).rejects.toMatchObject({ code: 'STATE_LOST' })
    const child = { ...assignment, shard: '0:10', from: null }
    await expect(store.open(network, child, fence)).rejects.toMatchObject({ code: 'STATE_LOST' })
    expect(await store.open(network, { ...assignment, shard: '5:', from: 41 }, fence)).toBe(41)
  })
})

describe('a shard host', () => {
  it('lets nobody in without its secret', async () => {
    const host = await aHost()
    const { told, link } = linkTo(host, 1n, 'x'.repeat(40))
    await until(() => told.length > 1, 'it was refused')
    expect(new Set(told)).toEqual(new Set(['refused']))
    expect(link.fence).toBeUndefined()
  })

  it('sends the leader away that was replaced, and does not let it in again', async () => {
    const host = await aHost()
    const old = linkTo(host, 1n)
    await until(() => old.link.fence !== undefined, 'the first is in')
    const next = linkTo(host, 2n)
    await until(() => next.link.fence !== undefined, 'the next is in')
    await until(() => old.told.includes('fenced'), 'the first hears of it')
    expect(old.told).toEqual(['up', 'UNREACHABLE', 'FENCED', 'fenced'])
    expect(next.told).toEqual(['up'])
  })

  it('refuses to go on with a database that was emptied', async () => {
    const host = await aHost()
    const accounts = [alice, carol].map((key) => ({ key, balance: 1_000_000n }))
    const net = await createTestChain({ accounts, shardHosts: [host.config] })
    ends.push(() => net.close())
    await net.chain.submit([net.transfer(carol, alice, 5n, 0)], { wait: 'EXECUTED' })
    await net.settled()
    await host.stop()
    for (const table of ['block', 'shard', 'cell', 'tx']) await host.sql`TRUNCATE ${host.sql(table)}`
    await host.start()
    await until(() => net.chain.shards().some(({ status }) => status === 'STOPPED'), 'the shard is stopped')
    expect(net.chain.health().message).toBe('shard 0:1 is stopped on its shard host')
    expect(await host.sql`SELECT FROM block`).toHaveLength(0)
  })
})

describe('a leader that makes no sense', () => {
  it('ends its own connection, not the shard host', async () => {
    const host = await aHost()
    for (const said of [5, [null], [{ type: 'start' }], [{ type: 'request', shard: 5 }, { type: 'start' }]]) {
      const socket = dial(host.config.url, host.secret)
      const closed = new Promise((resolve) => socket.once('close', resolve))
      socket.once('open', () => socket.send(serialize(said)))
      await closed
    }
    const { told } = linkTo(host, 1n)
    await until(() => told.includes('up'), 'a leader that is let in')
  })
})
