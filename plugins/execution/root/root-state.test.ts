import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Action, cellId, ROOT_REALM } from '../../../protocol/index.ts'
import { UNITS } from '../genesis.ts'
import { realmSalt } from '../modules/realm.ts'
import { createTestChain, type TestChain, testKey, testKeyIn } from '../testing.ts'

const operator = testKey('operator')
const alice = testKeyIn(0, 'alice')
const bob = testKeyIn(1, 'bob')
const BOND = 1000n
let net: TestChain
let nonces: Map<unknown, number>

beforeEach(async () => {
  nonces = new Map()
  net = await createTestChain({
    accounts: [alice, bob].map((key) => ({ key, balance: UNITS })),
    plan: { realmBond: BOND, maxShards: 6 },
  })
})
afterEach(() => net.close())

/** What became of the one action of a transaction. */
async function act(key: typeof alice, action: Partial<Action>): Promise<string> {
  const nonce = nonces.get(key) ?? 0
  nonces.set(key, nonce + 1)
  const [outcome] = await net.chain.submit([net.sign({ key, nonce, actions: [action] })], { wait: 'EXECUTED' })
  return outcome?.kind === 'accepted' ? outcome.status : `${outcome?.code} ${outcome?.message}`
}

const root = (
  call: string,
  args: Action['args'],
  to = cellId('shard', new Uint8Array(32), new Uint8Array(0)),
  value = 0n,
) => ({ realm: ROOT_REALM, to, call, args, value }) satisfies Partial<Action>

const createRealm = (key: typeof alice, name: string, shards = 1, value = 10_000n) =>
  act(key, root('realm.create', { name, shards }, cellId('realm', key.publicKey, realmSalt(name)), value))

const exported = async (): Promise<Record<string, unknown>> => {
  const { rows } = { rows: await net.sql<{ key: string }[]>`SELECT DISTINCT key FROM export ORDER BY key` }
  return Object.fromEntries(rows.map(({ key }) => [key, key]))
}

describe('the root chain', () => {
  it('splits shards for validators', async () => {
    expect(await act(operator, root('shard.split', { shard: '0:1' }))).toBe('EXECUTED')
    expect(Object.keys(await exported())).toEqual(expect.arrayContaining(['shard/0:10', 'shard/0:11']))
    expect((await net.settled()).total).toBe(net.network.supply)
  })
  it('makes realms', async () => {
    const before = await net.balance(alice)
    expect(await createRealm(alice, 'games', 2)).toBe('EXECUTED')
    expect(Object.keys(await exported())).toEqual(expect.arrayContaining(['realm/1', 'shard/1:0', 'shard/1:1']))
    expect((await net.settled()).total).toBe(net.network.supply)
    expect(before - (await net.balance(alice))).toBeLessThan(5000n)
    await net.restart()
    expect(await createRealm(bob, 'games')).toBe('EXECUTED')
    expect((await net.settled()).total).toBe(net.network.supply)
  })
})
