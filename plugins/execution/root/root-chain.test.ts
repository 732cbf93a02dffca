import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Action,
  cellId,
  decodeCellProof,
  decodeRootHeader,
  provenCell,
  ROOT_REALM,
} from '../../../protocol/index.ts'
import type { SigningKey } from '../../../server/crypto/ed25519.ts'
import { teller } from '../fixtures/teller.ts'
import { vault } from '../fixtures/vault.ts'
import { UNITS } from '../genesis.ts'
import { account } from '../modules/account.ts'
import { faucet } from '../modules/faucet.ts'
import { realmSalt } from '../modules/realm.ts'
import { outcomesById } from '../query/outcomes.ts'
import { oneDatabase } from '../query/shard-databases.ts'
import { createTestChain, type TestChain, testKeyIn } from '../testing.ts'

const alice = testKeyIn(0, 'alice')
const bob = testKeyIn(1, 'bob')
const BOND = 1000n
const NO_SALT = new Uint8Array(0)
const nonces = new Map<SigningKey, number>()
let net: TestChain

beforeAll(async () => {
  const accounts = [alice, bob].map((key) => ({ key, balance: UNITS }))
  net = await createTestChain({ accounts, modules: [account, faucet, vault, teller], plan: { realmBond: BOND } })
})
afterAll(() => net.close())

function signed(key: SigningKey, action: Partial<Action>): Uint8Array {
  const nonce = nonces.get(key) ?? 0
  nonces.set(key, nonce + 1)
  return net.sign({ key, nonce, actions: [action] })
}

/** What an action came to: DONE, or the code that it was refused with. */
async function act(key: SigningKey, action: Partial<Action>): Promise<string> {
  const [outcome] = await net.chain.submit([signed(key, action)], { wait: 'EXECUTED' })
  if (outcome?.kind !== 'accepted') return `not taken: ${outcome?.code}`
  const [blocks = []] = await outcomesById(oneDatabase(net.sql), [outcome.id])
  const found = blocks.flatMap(({ messages }) => messages).find(({ kind }) => kind === 0)
  return found?.status === 1 ? found.code : outcome.status === 'EXECUTED' ? 'DONE' : outcome.status
}

async function simulated(key: SigningKey, action: Partial<Action>) {
  const simulation = await net.chain.simulate(net.sign({ key, nonce: nonces.get(key) ?? 0, actions: [action] }))
  if (simulation.kind !== 'done') throw new TypeError(simulation.message)
  return simulation.actions[0]
}

const onRoot = (call: string, args: Action['args'], value = 0n): Partial<Action> => ({
  realm: ROOT_REALM,
  to: cellId(call.split('.')[0] ?? '', new Uint8Array(32), NO_SALT),
  call,
  args,
  value,
})
const createRealm = (key: SigningKey, name: string, shards: number): Partial<Action> => ({
  ...onRoot('realm.create', { name, shards }, 100_000n),
  to: cellId('realm', key.publicKey, realmSalt(name)),
})
const vaultOf = (n: number) => cellId('vault', alice.publicKey, Uint8Array.of(n))

/** What a shard reads of the root chain. */
async function exported(key: string): Promise<unknown> {
  const action = await simulated(bob, {
    to: cellId('teller', bob.publicKey, NO_SALT),
    call: 'teller.tell',
    args: { key },
  })
  const payload = action?.events[0]?.payload
  return typeof payload === 'object' && payload !== null && 'value' in payload ? payload.value : undefined
}

const isWhole = async (): Promise<boolean> => (await net.settled()).total === net.network.supply

describe('the root chain', () => {
  it('says what a call would do without doing it', async () => {
    const action = await simulated(alice, createRealm(alice, 'games', 1))
    expect(action).toMatchObject({ status: 'DONE', shard: 'root', error: null })
    expect(action?.events.map(({ topic }) => topic)).toEqual(['execution.realmCreated', 'execution.credited'])
    await net.settled()
    expect(await exported('realm/1')).toBeNull()
  })

  it('executes what shards send to it, and shards read what it exports', async () => {
    const before = await net.balance(alice)
    expect(await act(alice, createRealm(alice, 'games', 2))).toBe('DONE')
    expect(await isWhole()).toBe(true)
    expect(await exported('realm/1')).toMatchObject({ name: 'games' })
    expect(await exported('shard/1:0')).toMatchObject({ parent: null, until: null })
    const [cell] = await net.chain.cells(ROOT_REALM, [cellId('realm', alice.publicKey, realmSalt('games'))])
    expect(cell).toMatchObject({ owner: 'realm', balance: 2n * BOND, shard: 'root', value: { realm: 1 } })
    // What was paid beyond the bond came back.
    expect(before - (await net.balance(alice))).toBeLessThan(2n * BOND + (cell?.deposit ?? 0n) + 1000n)
    const events = await net.sql<{ topics: string[] }[]>`SELECT topics FROM core.event_batch WHERE shard = 'root'`
    expect(events).toEqual([{ topics: ['execution.realmCreated'] }])
  })

  it('sends back what it refuses, to accounts and to modules', async () => {
    expect(await act(alice, createRealm(alice, 'games', 2))).toBe('REALM_EXISTS')
    expect(await act(alice, onRoot('shard.split', { shard: '0:1' }))).toBe('NOT_ALLOWED')
    const to = cellId('teller', alice.publicKey, NO_SALT)
    expect(await act(alice, { to, call: 'teller.forward', args: { shard: '0:1' }, value: 1000n })).toBe('DONE')
    expect(await isWhole()).toBe(true)
    const [bounced] = await net.sql<{ count: bigint }[]>`
      SELECT count(*) AS count FROM core.event_batch WHERE 'teller.bounced' = ANY (topics)`
    expect(bounced?.count).toBe(1n)
    const [cell] = await net.chain.cells(0, [to])
    expect((cell?.balance ?? 0n) + (cell?.deposit ?? 0n)).toBe(1000n)
  })

  it('takes no calls of shards, and shards none of its', async () => {
    const create = { to: alice.publicKey, call: 'realm.create', args: { name: 'x' } }
    expect(await act(alice, create)).toBe('not taken: UNKNOWN_CALL')
    nonces.set(alice, (nonces.get(alice) ?? 1) - 1)
    const credit = { ...onRoot('account.credit', {}, 5n), to: alice.publicKey }
    expect(await act(alice, credit)).toBe('not taken: UNKNOWN_CALL')
    nonces.set(alice, (nonces.get(alice) ?? 1) - 1)
  })

  it('hears nothing from modules but its own calls', async () => {
    const knock = { to: cellId('teller', bob.publicKey, NO_SALT), call: 'teller.knock', args: {}, value: 7n }
    expect(await simulated(bob, knock)).toMatchObject({ status: 'REFUSED', error: { code: 'UNKNOWN_CALL' } })
  })

  it('proves its cells against its own header', async () => {
    expect(await act(alice, onRoot('vault.open', { count: 3, each: 2000 }, 6000n))).toBe('DONE')
    for (const [n, owner] of [
      [1, 'vault'],
      [77, undefined],
    ] as const) {
      const proof = decodeCellProof((await net.chain.proof(ROOT_REALM, vaultOf(n))) ?? NO_SALT)
      const found = provenCell(proof, vaultOf(n), decodeRootHeader(proof.header).cellsRoot, 0)
      expect(found).toBeDefined()
      expect(found?.cell?.owner).toBe(owner)
    }
    const root = net.chain.shards().find(({ id }) => id === 'root')
    expect(root).toMatchObject({ realm: ROOT_REALM, status: 'RUNNING', parent: null })
  })

  it('sees no clock, as little as shards do', async () => {
    expect(await act(alice, onRoot('vault.misbehave', { how: 'clock', cell: NO_SALT }))).toBe('MODULE_FAULT')
    expect(await exported('vault/now')).toBeNull()
  })

  it('goes on after a restart, with nothing lost or doubled that was on its way', async () => {
    const [before] = await net.chain.cells(ROOT_REALM, [vaultOf(1)])
    const refused = onRoot('vault.misbehave', { how: 'nowhere', cell: NO_SALT }, 50_000n)
    for (let run = 0; run < 3; run++) {
      const had = await net.balance(alice)
      const wires = Array.from({ length: 4 }, () => signed(alice, refused))
      await net.chain.submit(wires, { wait: 'INCLUDED' })
      await net.restart()
      expect(await isWhole()).toBe(true)
      // Only fees: all of the coins came back.
      const paid = had - (await net.balance(alice))
      expect(paid).toBeGreaterThan(400n)
      expect(paid).toBeLessThan(20_000n)
    }
    const [after] = await net.chain.cells(ROOT_REALM, [vaultOf(1)])
    expect(after).toMatchObject({ balance: before?.balance, value: before?.value })
    expect(await exported('realm/1')).toMatchObject({ name: 'games' })
  })

  it('does not start from a state that its header does not commit', async () => {
    await net.settled()
    const flip = () => net.sql`
      UPDATE cell SET record = set_byte(record, 40, get_byte(record, 40) # 1) WHERE realm = ${ROOT_REALM}`
    const change = () => net.sql`
      UPDATE export SET value = set_byte(value, length(value) - 1, get_byte(value, length(value) - 1) # 1)
      WHERE key = 'realm/1'`
    await net.chain.stop()
    await flip()
    await expect(net.restart()).rejects.toMatchObject({ code: 'STATE_MISMATCH' })
    await flip()
    await change()
    await expect(net.restart()).rejects.toMatchObject({ code: 'STATE_MISMATCH' })
    await change()
    await net.restart()
    expect(await isWhole()).toBe(true)
  })
})
