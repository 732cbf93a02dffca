import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cellId, ROOT_REALM } from '../../../protocol/index.ts'
import { counter } from '../fixtures/counter.ts'
import { storedNetwork } from '../genesis-store.ts'
import { account } from '../modules/account.ts'
import { asset } from '../modules/asset.ts'
import { assetId } from '../modules/asset-cells.ts'
import { faucet } from '../modules/faucet.ts'
import { realmSalt } from '../modules/realm.ts'
import { SYSTEM_MODULES } from '../modules/system.ts'
import { decodeEntries, encodeEntries } from '../root/root-store.ts'
import { createTestChain, type TestChain, testKey, testKeyIn } from '../testing.ts'
import { ReplayMismatch } from './mismatch.ts'
import { replayChain } from './replay.ts'
import { chainInDatabase } from './stored-chain.ts'
import { verifyDatabase } from './verify.ts'

const modules = [account, faucet, asset, counter, ...SYSTEM_MODULES]
const alice = testKeyIn(0, 'alice')
const bob = testKeyIn(1, 'bob')
let net: TestChain
let transactions = 0

/** Everything that can happen in a ledger, once: calls, messages, bounces, failures, deposits, keys, assets, a restart. */
beforeAll(async () => {
  net = await createTestChain({
    accounts: [alice, bob].map((key) => ({ key, balance: 10n ** 9n })),
    modules,
    plan: { realmBond: 1000n },
  })
  let nonce = 0
  const send = async (key: typeof alice, actions: Parameters<TestChain['sign']>[0]['actions'], n = nonce++) => {
    transactions++
    await net.chain.submit([net.sign({ key, nonce: n, actions })], { wait: 'EXECUTED' })
  }
  const cell = cellId('counter', alice.publicKey, new Uint8Array(0))
  await send(alice, [
    { to: bob.publicKey, value: 500n },
    { to: testKey('new').publicKey, value: 5n },
  ])
  await send(alice, [{ to: cell, call: 'counter.add', args: { by: 60 }, value: 5000n }])
  await send(alice, [{ to: cell, call: 'counter.add', args: { by: 60 }, value: 500n }])
  await send(alice, [{ to: cell, call: 'counter.misbehave', args: { how: 'throw' }, value: 7n }, { to: bob.publicKey }])
  await send(alice, [{ to: cell, call: 'counter.bounceOff', args: { to: bob.publicKey }, value: 40n }])
  const points = assetId(alice.publicKey, 'POINTS')
  await send(alice, [{ to: points, call: 'asset.create', args: { symbol: 'POINTS', decimals: 0 }, value: 10_000n }])
  await send(alice, [{ to: points, call: 'asset.issue', args: { to: bob.publicKey, amount: 9 }, value: 10_000n }])
  const realm = { realm: ROOT_REALM, to: cellId('realm', alice.publicKey, realmSalt('games')), call: 'realm.create' }
  await send(alice, [{ ...realm, args: { name: 'games', shards: 2 }, value: 10_000n }])
  await send(alice, [{ ...realm, args: { name: 'games', shards: 2 }, value: 10_000n }])
  await net.restart()
  await send(bob, [{ to: alice.publicKey, value: 3n }], 0)
  await send(alice, [{ to: cell, call: 'counter.remove', args: {} }])
  // Whether what is left of the cell is still in memory must make no difference to a call that leaves it as it was.
  await send(alice, [{ to: cell, call: 'counter.misbehave', args: { how: 'throw' } }])
  await net.settled()
  await net.restart()
  await send(alice, [{ to: cell, call: 'counter.misbehave', args: { how: 'throw' } }])
  await net.settled()
  await net.chain.stop()
})
afterAll(async () => {
  // It was stopped already; stopping again does nothing.
  await net.close()
})

const replay = async () => {
  const network = await storedNetwork(net.sql)
  if (network === undefined) throw new TypeError('the test chain has no genesis')
  return replayChain({ network, modules, chain: chainInDatabase(net.sql) })
}

/** The mismatch that a replay ends with after a change, which is undone. */
async function whenChanged(change: (flip: number) => Promise<unknown>): Promise<ReplayMismatch> {
  await change(1)
  const error: unknown = await replay().catch((reason: unknown) => reason)
  await change(-1)
  if (error instanceof ReplayMismatch) return error
  throw new TypeError(`expected a mismatch, not ${String(error)}`)
}

describe('a replay', () => {
  it('gives what is stored, from genesis alone', async () => {
    const seen: number[] = []
    const network = await storedNetwork(net.sql)
    if (network === undefined) throw new TypeError('the test chain has no genesis')
    const onProgress = ({ rootHeight }: { rootHeight: number }) => seen.push(rootHeight)
    const report = await replayChain({ network, modules, chain: chainInDatabase(net.sql), onProgress })
    expect(report.transactions).toBe(transactions)
    expect(report.blocks).toBeGreaterThan(10)
    expect(seen).toEqual(seen.map((_, i) => i))
    expect(report.rootHeight).toBe(seen.length - 1)
  })

  it('gives what is stored, from any height on', async () => {
    const whole = await replay()
    for (const from of [0, 1, whole.rootHeight >> 1, whole.rootHeight - 1, whole.rootHeight]) {
      const found = await verifyDatabase({ sql: net.sql, offered: net.modules, from })
      expect(found, `from ${from}`).toMatchObject({ rootHeight: whole.rootHeight, from })
      expect(found.blocks).toBeLessThanOrEqual(whole.blocks)
    }
    await expect(verifyDatabase({ sql: net.sql, offered: net.modules, from: 1_000_000 })).rejects.toMatchObject({
      code: 'NO_SUCH_HEIGHT',
    })
  })

  it('does not take a state for good that is another than the root block commits', async () => {
    const { rootHeight } = await replay()
    const verified = (from: number) => verifyDatabase({ sql: net.sql, offered: net.modules, from })
    const shortened = net.sql`UPDATE cell SET record = substring(record from 1 for length(record) - 1) || '\\x00'
      WHERE path = (SELECT min(path) FROM cell WHERE realm = 0) AND realm = 0 RETURNING realm`
    const [before] = await net.sql<
      { record: Uint8Array }[]
    >`SELECT record FROM cell WHERE realm = 0 ORDER BY path LIMIT 1`
    expect(await shortened).toHaveLength(1)
    await expect(verified(rootHeight)).rejects.toMatchObject({ code: 'REPLAY_MISMATCH', what: 'cellsRoot' })
    // Whatever is executed gives what the headers say, but the node reads something else.
    await expect(verified(0)).rejects.toMatchObject({ code: 'REPLAY_MISMATCH', what: 'cells' })
    await expect(verifyDatabase({ sql: net.sql, offered: net.modules })).rejects.toMatchObject({ what: 'cells' })
    await net.sql`UPDATE cell SET record = ${before?.record ?? ''}
      WHERE path = (SELECT min(path) FROM cell WHERE realm = 0) AND realm = 0`
    await verified(rootHeight)
  })

  it('looks at what the root chain exports as the node reads it', async () => {
    const found = () => verifyDatabase({ sql: net.sql, offered: net.modules })
    const move = (by: number) => net.sql`
      UPDATE export SET since = since + ${by * 1_000_000} WHERE key = 'shard/0:1' AND since = ${by > 0 ? 0 : 1_000_000}`
    expect((await move(1)).count).toBe(1)
    await expect(found()).rejects.toMatchObject({ code: 'REPLAY_MISMATCH', what: 'exportsRoot' })
    await move(-1)
    await found()
  })

  it('does not believe what a last block, or root block, says that it holds', async () => {
    const found = () => verifyDatabase({ sql: net.sql, offered: net.modules })
    for (const table of ['block', 'root_block'])
      for (const column of ['holdings', 'emitted']) {
        const change = (by: number) => net.sql`
          UPDATE ${net.sql(table)} SET ${net.sql(column)} = ${net.sql(column)} + ${by}
          WHERE height = (SELECT max(height) FROM ${net.sql(table)})`
        await change(1)
        await expect(found(), `${table}.${column}`).rejects.toMatchObject({
          what: column === 'holdings' ? 'holdings' : 'supply',
        })
        await change(-1)
      }
    await found()
  })

  it.each(['header', 'body', 'receipts', 'outgoing', 'delta', 'hash'])(
    'names the first block whose %s was changed',
    async (column) => {
      const [row] = await net.sql<{ shard: string; height: bigint; length: number }[]>`
        SELECT shard, height, length(${net.sql(column)}) AS length FROM block
        WHERE length(${net.sql(column)}) > 8 AND height > 1 AND tx_count > 0 ORDER BY time LIMIT 1`
      if (row === undefined) throw new TypeError(`no block has a ${column}`)
      const { shard, height, length } = row
      for (const at of [
        length - 1,
        length >> 1,
        0,
        ...Array.from({ length: 8 }, () => Math.floor(Math.random() * length)),
      ]) {
        const found = await whenChanged(
          () => net.sql`
            UPDATE block SET ${net.sql(column)} = set_byte(${net.sql(column)}, ${at}, get_byte(${net.sql(column)}, ${at}) # 1)
            WHERE shard = ${shard} AND height = ${height}`,
        )
        // A wrong hash is told by the root block that lists it.
        if (column === 'hash') expect(found.place.shard, `byte ${at}`).toBe('root')
        else expect(found.place, `byte ${at}`).toEqual({ shard, height: Number(height) })
      }
    },
  )

  it.each(['header', 'votes', 'entries', 'hash', 'outgoing', 'delta', 'exports'])(
    'names the first root block whose %s was changed',
    async (column) => {
      const [row] = await net.sql<{ height: bigint; length: number }[]>`
      SELECT height, length(${net.sql(column)}) AS length FROM root_block
      WHERE height > 0 ORDER BY length(${net.sql(column)}) DESC, height LIMIT 1`
      if (row === undefined || row.length < 2) throw new TypeError(`no root block has a ${column}`)
      for (const at of [row.length - 1, row.length >> 1, 0]) {
        const found = await whenChanged(
          () => net.sql`
          UPDATE root_block SET ${net.sql(column)} = set_byte(${net.sql(column)}, ${at}, get_byte(${net.sql(column)}, ${at}) # 1)
          WHERE height = ${row.height}`,
        )
        expect(found.place, `byte ${at}`).toEqual({ shard: 'root', height: Number(row.height) })
      }
    },
  )

  it('takes what a root block lists in its order only: messages are delivered in that', async () => {
    const rows = await net.sql<{ height: bigint; entries: Uint8Array }[]>`SELECT height, entries FROM root_block`
    const row = rows.find(({ height, entries }) => height > 0n && decodeEntries(entries).length > 1)
    if (row === undefined) throw new TypeError('no root block lists two blocks')
    const other = encodeEntries(decodeEntries(row.entries).reverse())
    const found = await whenChanged(
      (way) => net.sql`UPDATE root_block SET entries = ${way > 0 ? other : row.entries} WHERE height = ${row.height}`,
    )
    expect(found).toMatchObject({ place: { shard: 'root', height: Number(row.height) }, what: 'entries' })
  })

  it('misses a block that is gone', async () => {
    const found = await whenChanged((way) =>
      way > 0
        ? net.sql`UPDATE block SET height = height + 1000000 WHERE shard = '0:1' AND height = 1`
        : net.sql`UPDATE block SET height = height - 1000000 WHERE shard = '0:1' AND height = 1000001`,
    )
    expect(found.message).toMatch(/lists block 1 of shard 0:1, which is not there/)
  })

  it('needs the modules that the network has', async () => {
    const network = await storedNetwork(net.sql)
    if (network === undefined) throw new TypeError('the test chain has no genesis')
    const replayed = replayChain({
      network,
      modules: [account, faucet, asset, ...SYSTEM_MODULES],
      chain: chainInDatabase(net.sql),
    })
    await expect(replayed).rejects.toThrow('add its plugin to deaios.config.ts')
  })
})
