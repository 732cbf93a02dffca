import { afterEach, describe, expect, it } from 'vitest'
import {
  cellPath,
  decodeTransaction,
  prefixOf,
  ROOT_REALM,
  toHex,
  verifyCellProof,
  verifySplit,
  ZERO_HASH,
} from '../../protocol/index.ts'
import { until } from '../../server/testing/program.ts'
import { chainInDatabase, replayChain } from './replay/index.ts'
import { createTestChain, type TestChain, type TestChainOptions, testKey, testKeyIn } from './testing.ts'

const UNITS = 10n ** 12n
const alice = testKeyIn(0, 'alice')
const bob = testKeyIn(1, 'bob')
const many = Array.from({ length: 40 }, (_, i) => testKey(`party ${i}`))

let net: TestChain
afterEach(() => net.close())

async function found(keys = [alice, bob, ...many], options: TestChainOptions = {}): Promise<void> {
  net = await createTestChain({ accounts: keys.map((key) => ({ key, balance: UNITS })), ...options })
}

const family = () =>
  net.chain
    .shards()
    .filter(({ id }) => id !== 'root')
    .map(({ id, parent, status }) => `${id} ${parent ?? '-'} ${status}`)

/** Everybody pays the next one; afterwards everybody has what they had, less fees. */
async function payRound(nonce: number, keys = many): Promise<void> {
  const wires = keys.map((key, i) => net.transfer(key, keys[(i + 1) % keys.length] ?? key, 7n, nonce))
  const outcomes = await net.chain.submit(wires, { wait: 'EXECUTED' })
  expect(outcomes.map((outcome) => (outcome.kind === 'accepted' ? outcome.status : outcome.code))).toEqual(
    wires.map(() => 'EXECUTED'),
  )
}

async function conserved(): Promise<void> {
  expect((await net.settled()).total).toBe(net.network.supply)
  expect(net.chain.health()).toEqual({ ok: true })
}

/** Its own row says that it was split, and anyone can check that. */
async function proven(shard: string) {
  const [row] = await net.sql<{ split: Uint8Array }[]>`SELECT split FROM shard WHERE id = ${shard}`
  const proof = verifySplit(row?.split ?? new Uint8Array(0))
  if (proof === undefined) throw new TypeError(`the split of ${shard} is not proven`)
  const listed = await net.sql<{ shard: string }[]>`
    SELECT shard FROM root_entry JOIN block USING (shard, height)
    WHERE hash IN ${net.sql([proof.parentHash, ...proof.childHashes])}`
  expect(listed.map((entry) => entry.shard).sort()).toEqual([shard, `${shard}0`, `${shard}1`])
  return proof
}

describe('a shard that is split', () => {
  it('goes on as two, with nothing lost, and proves it', async () => {
    await found()
    await payRound(0)
    const before = await Promise.all(many.map((key) => net.balance(key)))
    await net.split('0:0')
    expect(family()).toEqual(['0:0 - SPLIT', '0:00 0:0 RUNNING', '0:01 0:0 RUNNING', '0:1 - RUNNING'])
    expect(await Promise.all(many.map((key) => net.balance(key)))).toEqual(before)
    await payRound(1)
    await payRound(2)
    await conserved()
    await proven('0:0')
    for (const key of many) {
      const home = net.chain.shardOf(0, key.publicKey)
      expect(home).toBe(
        net.chain.shards().find((shard) => {
          return (
            shard.realm === 0 &&
            shard.status === 'RUNNING' &&
            prefixOf(cellPath(key.publicKey), shard.prefix.length) === shard.prefix
          )
        })?.id,
      )
      const proof = verifyCellProof((await net.chain.proof(0, key.publicKey)) ?? new Uint8Array(0), key.publicKey)
      expect(proof?.cell?.balance).toBe(await net.balance(key))
      expect(proof?.header.shard).toBe(home)
    }
    await net.restart()
    expect(family()).toEqual(['0:0 - SPLIT', '0:00 0:0 RUNNING', '0:01 0:0 RUNNING', '0:1 - RUNNING'])
    await payRound(3)
    await conserved()
  })

  it('may have one cell, or none, and be split again and again', async () => {
    await found([alice])
    const path = prefixOf(cellPath(alice.publicKey), 8)
    for (let length = 1; length < 5; length++) await net.split(`0:${path.slice(0, length)}`)
    // Somewhere there is nobody at all.
    const empty = net.chain
      .shards()
      .find(({ stateRoot, realm }) => realm === 0 && stateRoot.every((byte) => byte === 0))
    if (empty !== undefined) await net.split(empty.id)
    await net.chain.submit([net.transfer(alice, bob, 5n, 0)], { wait: 'EXECUTED' })
    expect(await net.balance(bob)).toBe(5n)
    for (let length = 1; length < 5; length++) await proven(`0:${path.slice(0, length)}`)
    if (empty !== undefined) {
      const { children } = await proven(empty.id)
      for (const { cellsRoot } of children) expect(toHex(cellsRoot)).toBe(toHex(ZERO_HASH))
    }
    await conserved()
    await net.restart()
    expect(await net.balance(bob)).toBe(5n)
    await conserved()
  })

  it('takes what waits along: it stays pending, and is included by the children', async () => {
    await found()
    // Nonce 0 is missing, so all of these wait.
    const waiting = many.map((key, i) => net.transfer(key, many[(i + 1) % many.length] ?? key, 7n, 1))
    const ids = waiting.map((wire) => decodeTransaction(wire).id)
    await net.chain.submit(waiting.slice(0, 20), { wait: 'NONE' })
    const answers = net.chain.submit(waiting.slice(20), { wait: 'INCLUDED' })
    await until(async () => (await net.chain.states(ids)).every((state) => state !== null), 'all are known')
    const seen = new Set<string>()
    let isWatching = true
    const watching = (async () => {
      while (isWatching) for (const state of await net.chain.states(ids)) seen.add(state?.status ?? 'UNKNOWN')
    })()
    await net.split('0:0')
    await net.split('0:1')
    isWatching = false
    await watching
    expect([...seen]).toEqual(['PENDING'])
    const first = many.map((key, i) => net.transfer(key, many[(i + 1) % many.length] ?? key, 5n, 0))
    await net.chain.submit(first, { wait: 'EXECUTED' })
    const included = await answers
    expect(included).toMatchObject(
      included.map(() => ({ kind: 'accepted', duplicate: false, at: { height: expect.any(Number) } })),
    )
    await until(
      async () => (await net.chain.states(ids)).every((state) => state?.status === 'EXECUTED'),
      'all are executed',
    )
    await conserved()
  })

  it('is split once, and only as long as there is room for more shards', async () => {
    await found([alice], { plan: { maxShards: 4 } })
    const operator = testKey('operator')
    let nonce = 0
    const ask = (shard: string): Uint8Array => {
      const action = { to: operator.publicKey, realm: ROOT_REALM, call: 'shard.split', args: { shard } }
      return net.sign({ key: operator, nonce: nonce++, actions: [action] })
    }
    const statuses = async (...shards: readonly string[]) =>
      (await net.chain.submit(shards.map(ask), { wait: 'EXECUTED' })).map(
        (outcome) => outcome.kind === 'accepted' && outcome.status,
      )
    expect(await statuses('0:0', '0:0', '0:00', '7:', 'root', 'nonsense')).toEqual([
      'EXECUTED',
      ...Array(5).fill('FAILED'),
    ])
    await until(() => family().includes('0:00 0:0 RUNNING') && family().includes('0:01 0:0 RUNNING'), 'it is split')
    // Its name is never used again.
    expect(await statuses('0:0', '0:1')).toEqual(['FAILED', 'EXECUTED'])
    await until(() => family().includes('0:10 0:1 RUNNING') && family().includes('0:11 0:1 RUNNING'), 'both are split')
    expect(await statuses('0:00')).toEqual(['FAILED'])
    await conserved()
  })

  it('can be executed again from genesis, and from any change on it is told', async () => {
    await found()
    await payRound(0)
    await net.split('0:1')
    await payRound(1)
    await net.split('0:10')
    await payRound(2)
    await conserved()
    await net.chain.stop()
    const again = () => replayChain({ network: net.network, modules: net.modules, chain: chainInDatabase(net.sql) })
    expect((await again()).transactions).toBe(3 * many.length + 2)
    const [child] = await net.sql<{ height: bigint }[]>`SELECT min(height) AS height FROM block WHERE shard = '0:10'`
    const height = Number(child?.height)
    await net.sql`UPDATE block SET body = body || 'x' WHERE shard = '0:10' AND height = ${height}`
    await expect(again()).rejects.toMatchObject({ place: { shard: '0:10', height }, what: 'body' })
  })
})
