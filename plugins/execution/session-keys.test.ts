import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Action,
  type CborMap,
  cellId,
  encodeTransaction,
  encodeUnsigned,
  ROOT_REALM,
  signingBytes,
} from '../../protocol/index.ts'
import { type SigningKey, sign } from '../../server/crypto/ed25519.ts'
import { counter } from './fixtures/counter.ts'
import { account } from './modules/account.ts'
import { faucet } from './modules/faucet.ts'
import { realmSalt } from './modules/realm.ts'
import { SYSTEM_MODULES } from './modules/system.ts'
import { accountState } from './state/account.ts'
import { createTestChain, type TestChain, testKey, testKeyIn } from './testing.ts'

const alice = testKeyIn(0, 'alice')
const bob = testKeyIn(1, 'bob')
const agent = testKey('agent')
const other = testKey('other agent')
const LANE = 7
const counterOf = cellId('counter', alice.publicKey, new Uint8Array(0))

let net: TestChain
let own = 0
beforeEach(async () => {
  own = 0
  net = await createTestChain({
    accounts: [alice, bob].map((key) => ({ key, balance: 10_000_000n })),
    modules: [account, faucet, counter, ...SYSTEM_MODULES],
    plan: { realmBond: 1000n },
  })
})
afterEach(() => net.close())

interface Signed {
  readonly key?: SigningKey
  readonly realm?: number
  readonly lane?: number
  readonly nonce?: number
  readonly maxFee?: bigint
}

/** A transaction of alice's account, signed by whichever key. */
function signed(
  actions: readonly Partial<Action>[],
  { key = agent, realm = 0, lane = LANE, nonce = 0, maxFee = 10_000n }: Signed = {},
) {
  const unsigned = encodeUnsigned({
    network: net.network.id,
    realm,
    sender: alice.publicKey,
    key: key.publicKey,
    lane,
    nonce,
    validUntil: net.chain.rootHeight() + 100_000,
    maxFee,
    actions: actions.map((action) => ({
      to: bob.publicKey,
      realm: 0,
      call: 'account.credit',
      args: {},
      value: 0n,
      ...action,
    })),
  })
  return encodeTransaction(unsigned, sign(signingBytes(unsigned), key))
}

/** Submits, and gives the final status, or the refusal's code. */
async function submit(...wires: Uint8Array[]): Promise<string[]> {
  const outcomes = await net.chain.submit(wires, { wait: 'EXECUTED' })
  return outcomes.map((outcome) => (outcome.kind === 'accepted' ? outcome.status : outcome.code))
}

const byOwner = (actions: readonly Partial<Action>[]) => signed(actions, { key: alice, lane: 0, nonce: own++ })
const authorize = (bounds: CborMap = {}, key = agent): Partial<Action> => ({
  to: alice.publicKey,
  call: 'account.authorize',
  args: {
    key: key.publicKey,
    calls: ['account.credit', 'counter.*'],
    lane: LANE,
    limit: 100_000,
    expires: 1_000_000,
    ...bounds,
  },
})
const revoke = (): Partial<Action> => ({ to: alice.publicKey, call: 'account.revoke', args: { key: agent.publicKey } })

describe('a session key', () => {
  it('acts for the account in its own lane, and is charged against its limit', async () => {
    expect(await submit(signed([{ value: 5n }]))).toEqual(['KEY_NOT_AUTHORISED'])
    expect(await submit(byOwner([authorize()]))).toEqual(['EXECUTED'])
    expect(await submit(signed([{ value: 500n }]))).toEqual(['EXECUTED'])
    expect(
      await submit(signed([{ to: counterOf, call: 'counter.add', args: { by: 1 }, value: 100n }], { nonce: 1 })),
    ).toEqual(['EXECUTED'])
    expect(await net.balance(bob)).toBe(10_000_500n)
    const [cell] = await net.chain.cells(0, [alice.publicKey])
    const { keys } = accountState(cell?.value as never)
    expect(keys[0]?.spent).toBeGreaterThan(600n)
    // The deposit for the key comes on top of what was spent; nothing is lost.
    expect((await net.settled()).total).toBe(net.network.supply)
    expect(cell?.deposit).toBeGreaterThan(0n)
  })

  it('does nothing that was not allowed', async () => {
    await submit(byOwner([authorize({ targets: [{ realm: 0, id: counterOf }] })]))
    const add = { to: counterOf, call: 'counter.add', args: { by: 1 }, value: 100n }
    for (const wrong of [
      // Another cell, another lane, its own rights, another account's key.
      signed([{ value: 5n }]),
      signed([add], { lane: 8 }),
      signed([add], { lane: 0, nonce: own }),
      signed([add, { ...authorize(), to: alice.publicKey }]),
      signed([{ ...revoke() }]),
      signed([add], { key: other }),
    ])
      expect(await submit(wrong)).toEqual(['KEY_NOT_AUTHORISED'])
    expect(await submit(signed([add]))).toEqual(['EXECUTED'])
  })

  it('reaches no other realm than it was given: the same ids are other cells there', async () => {
    const made = { to: cellId('realm', alice.publicKey, realmSalt('games')), realm: ROOT_REALM, call: 'realm.create' }
    expect(await submit(byOwner([{ ...made, args: { name: 'games', shards: 1 }, value: 100_000n }]))).toEqual([
      'EXECUTED',
    ])
    expect(await submit(byOwner([{ to: alice.publicKey, realm: 1, value: 100_000n }]))).toEqual(['EXECUTED'])
    const add = (realm: number) => ({ to: counterOf, realm, call: 'counter.add', args: { by: 1 }, value: 100n })
    for (const [realm, elsewhere] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const targets = [{ realm, id: counterOf }]
      expect(await submit(byOwner([authorize({ targets })]))).toEqual(['EXECUTED'])
      expect(await submit(signed([add(elsewhere)], { nonce: realm }))).toEqual(['KEY_NOT_AUTHORISED'])
      expect(await submit(signed([add(realm), add(elsewhere)], { nonce: realm }))).toEqual(['KEY_NOT_AUTHORISED'])
      expect(await submit(signed([add(realm)], { nonce: realm }))).toEqual(['EXECUTED'])
      // The account of the same key there is not the one that authorised it.
      expect(await submit(signed([add(realm)], { realm: 1 }))).toEqual(['KEY_NOT_AUTHORISED'])
    }
    // A realm has to be said: an id alone names no cell.
    expect(await submit(byOwner([authorize({ targets: [counterOf] })]))).toEqual(['BAD_ARGUMENTS'])
  })

  it('cannot be given rights over rights, whatever the pattern says', async () => {
    await submit(byOwner([authorize({ calls: ['account.*', 'account.authorize', 'account.revoke'] })]))
    expect(await submit(signed([authorize({}, other)]))).toEqual(['KEY_NOT_AUTHORISED'])
    expect(await submit(signed([revoke()]))).toEqual(['KEY_NOT_AUTHORISED'])
    expect(await submit(signed([{ value: 1n }]))).toEqual(['EXECUTED'])
  })

  it('spends no more than its limit, fees included, and what bounces does not count back', async () => {
    await submit(byOwner([authorize({ limit: 1000 })]))
    expect(await submit(signed([{ value: 1001n }]))).toEqual(['KEY_NOT_AUTHORISED'])
    // This one is refused by the counter, so that its value comes back; it counts all the same.
    const refused = { to: counterOf, call: 'counter.misbehave', args: { how: 'refuse' }, value: 900n }
    expect(await submit(signed([refused]))).toEqual(['FAILED'])
    expect(await submit(signed([{ value: 100n }], { nonce: 1 }))).toEqual(['KEY_NOT_AUTHORISED'])
    // Fees alone drain it no further than that.
    const tries = await submit(...Array.from({ length: 8 }, (_, i) => signed([{}], { nonce: 1 + i })))
    expect(tries.filter((status) => status === 'EXECUTED').length).toBeLessThan(8)
    const again = authorize({ limit: 5000 })
    expect(await submit(byOwner([again]))).toEqual(['EXECUTED'])
  })

  it('ends at its root height', async () => {
    await submit(byOwner([authorize({ expires: net.chain.rootHeight() })]))
    await expect.poll(() => submit(signed([{ value: 5n }]))).toEqual(['KEY_NOT_AUTHORISED'])
  })

  it('is revoked within the block: what it signed behind that is not included', async () => {
    await submit(byOwner([authorize()]))
    const before = signed([{ value: 1n }])
    const after = signed([{ value: 10n }], { nonce: 1 })
    const outcomes = await submit(before, byOwner([revoke()]), after)
    expect(outcomes.slice(0, 2)).toEqual(['EXECUTED', 'EXECUTED'])
    expect(['EVICTED', 'KEY_NOT_AUTHORISED']).toContain(outcomes[2])
    expect(await net.balance(bob)).toBe(10_000_001n)
    expect(await submit(byOwner([revoke()]))).toEqual(['FAILED'])
  })

  it('has a lane of its own, and an account has sixteen at most', async () => {
    await submit(byOwner([authorize()]))
    expect(await submit(byOwner([authorize({}, other)]))).toEqual(['FAILED'])
    const more = (i: number) => authorize({ lane: 20 + i }, testKey(`agent ${i}`))
    expect(await submit(byOwner(Array.from({ length: 15 }, (_, i) => more(i))))).toEqual(['EXECUTED'])
    expect(await submit(byOwner([more(15)]))).toEqual(['FAILED'])
    expect(await submit(byOwner([revoke(), more(15)]))).toEqual(['EXECUTED'])
    // Nobody gives rights over somebody else's account.
    expect(await submit(byOwner([{ ...authorize(), to: bob.publicKey }]))).toEqual(['FAILED'])
    expect(await submit(byOwner([authorize({ lane: 0 })]))).toEqual(['BAD_ARGUMENTS'])
  })

  it('keeps its bounds over a restart', async () => {
    await submit(byOwner([authorize({ limit: 2000 })]))
    await submit(signed([{ value: 500n }]))
    await net.restart()
    expect(await submit(signed([{ value: 1600n }], { nonce: 1 }))).toEqual(['KEY_NOT_AUTHORISED'])
    expect(await submit(signed([{ value: 5n }], { nonce: 1 }))).toEqual(['EXECUTED'])
  })
})
