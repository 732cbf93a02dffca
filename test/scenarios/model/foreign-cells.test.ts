import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { account } from '../../../plugins/execution/modules/account.ts'
import { faucet } from '../../../plugins/execution/modules/faucet.ts'
import { realmSalt } from '../../../plugins/execution/modules/realm.ts'
import { createTestChain, type TestChain, testKeyIn } from '../../../plugins/execution/testing.ts'
import { cellId, ROOT_REALM } from '../../../protocol/index.ts'
import { until } from '../../../server/testing/index.ts'
import { diary } from '../modules/diary.ts'
import { splitter } from '../modules/splitter.ts'

const thief = testKeyIn(0, 'thief')
const victim = testKeyIn(0, 'victim')
const BALANCE = 1_000_000n

let net: TestChain
beforeEach(async () => {
  net = await createTestChain({
    // The victim was paid, and never signed anything yet.
    accounts: [thief, victim].map((key) => ({ key, balance: BALANCE })),
    modules: [account, faucet, diary, splitter],
    plan: { realmBond: 1000n },
  })
})
afterEach(() => net.close())

describe('a call on a cell that no module owns', () => {
  it('disposes of what came with it, not of what others sent there', async () => {
    const share = (value: bigint, nonce: number) =>
      net.sign({
        key: thief,
        nonce,
        actions: [{ to: victim.publicKey, call: 'splitter.share', args: { to: thief.publicKey }, value }],
      })
    const outcomes = await net.chain.submit([share(0n, 0), share(10n, 1)], { wait: 'EXECUTED' })
    expect(outcomes.map((outcome) => outcome.kind === 'accepted' && outcome.status)).toEqual(['EXECUTED', 'EXECUTED'])
    expect(await net.balance(victim)).toBe(BALANCE)
    expect((await net.settled()).total).toBe(net.network.supply)
  })

  it('sends in its own name, so that what it sends is not taken for what the sender signed', async () => {
    // Its number is one that the other diary refuses: it is not the dictating cell's to make.
    const dictate = { call: 'diary.dictate', args: { to: victim.publicKey, n: 0 }, value: 500n }
    const nobody = testKeyIn(0, 'nobody')
    const [outcome] = await net.chain.submit(
      [net.sign({ key: thief, nonce: 0, actions: [{ to: nobody.publicKey, ...dictate }] })],
      { wait: 'EXECUTED' },
    )
    // The action did what it had to. What it sent was refused and came back, to the signer, as the cell is empty.
    expect(outcome).toMatchObject({ kind: 'accepted', status: 'EXECUTED' })
    expect(await net.balance(nobody)).toBe(0n)
    expect(await net.balance(thief)).toBeGreaterThan(BALANCE - 100n)
  })
  it('returns what comes back to whoever signed: to the account that did, not to its namesake in another realm', async () => {
    const made = cellId('realm', victim.publicKey, realmSalt('game'))
    const bond = { call: 'realm.create', args: { name: 'game', shards: 1 }, value: 10_000n }
    const found = net.sign({ key: victim, nonce: 0, actions: [{ to: made, realm: ROOT_REALM, ...bond }] })
    expect(await net.chain.submit([found], { wait: 'EXECUTED' })).toMatchObject([{ status: 'EXECUTED' }])
    await until(
      () => net.chain.shards().some(({ id, status }) => id === '1:' && status === 'RUNNING'),
      'the realm runs',
    )

    // Nobody has coins in the realm. The thief's diary there refuses payments, and what came along comes back.
    const refuser = cellId('diary', thief.publicKey, new Uint8Array(0))
    const actions = [
      { to: refuser, realm: 1, call: 'diary.note', args: { n: 0 }, value: 1_000n },
      { to: thief.publicKey, realm: 1, call: 'splitter.share', args: { to: refuser }, value: 500n },
    ]
    const before = await net.balance(thief)
    const [outcome] = await net.chain.submit([net.sign({ key: thief, nonce: 0, actions })], { wait: 'EXECUTED' })
    expect(outcome).toMatchObject({ kind: 'accepted', status: 'EXECUTED' })
    await net.settled()
    expect(await net.chain.cells(1, [thief.publicKey])).toEqual([null])
    // The diary keeps its thousand, and the fee is small.
    expect(await net.balance(thief)).toBeGreaterThan(before - 1_000n - 100n)
  })
})
