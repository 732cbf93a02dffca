import { afterEach, describe, expect, it } from 'vitest'
import { account } from '../../../plugins/execution/modules/account.ts'
import { faucet } from '../../../plugins/execution/modules/faucet.ts'
import { REFUSAL_CODES } from '../../../plugins/execution/refusals.ts'
import { createTestChain, type TestChain, testKeyIn } from '../../../plugins/execution/testing.ts'
import { heavy } from '../modules/heavy.ts'
import { newSeed, Random } from '../random.ts'
import { ALL_FAULTS } from './all-faults.ts'
import { openTarget, type Target } from './target.ts'
import { Verdicts } from './verdict.ts'

const alice = testKeyIn(0, 'alice')
const accounts = [{ key: alice, balance: 10n ** 12n }]
let net: TestChain | undefined
afterEach(() => net?.close())

const to = testKeyIn(1, 'bob').publicKey

describe('bad input', () => {
  it('is refused with its own code, kind by kind, and changes nothing', async () => {
    const seed = newSeed()
    const random = new Random(seed)
    const target: Target = await openTarget()
    net = target.net
    const before = await target.snapshot()
    const seen = new Set<string>()
    const verdicts = new Verdicts()
    for (const spoil of ALL_FAULTS) {
      const spoiled = Array.from({ length: 30 }, () => spoil(target.material(random)))
      const outcomes = await net.chain.submit(
        spoiled.map(({ wire }) => wire),
        { wait: 'INCLUDED' },
      )
      for (const [i, one] of spoiled.entries()) verdicts.check(one, outcomes[i])
      for (const outcome of outcomes) if (outcome.kind === 'refused') seen.add(outcome.code)
    }
    // The other two have tests of their own below.
    expect([...seen, 'MEMPOOL_FULL'].sort()).toEqual([...REFUSAL_CODES].sort())
    expect(await target.snapshot()).toEqual(before)
    expect(target.complaints).toEqual([])
    await target.takesValidOnes(random)
    console.log(`30 of each of ${ALL_FAULTS.length} kinds of bad input, seed ${seed}`)
  })

  it('that does not fit into the mempool is MEMPOOL_FULL', async () => {
    const mempool = { maxCount: 3, maxBytes: 1 << 20, maxPerSender: 100 }
    net = await createTestChain({ accounts, parts: { tuning: { mempool } } })
    // They wait for the nonces before them.
    const waiting = [2, 3, 4, 5].map((nonce) => net?.transfer(alice, alice, 1n, nonce) ?? new Uint8Array())
    const outcomes = await net.chain.submit(waiting, { wait: 'NONE' })
    expect(outcomes).toMatchObject([
      ...Array.from({ length: 3 }, () => ({ kind: 'accepted', status: 'PENDING' })),
      { kind: 'refused', code: 'MEMPOOL_FULL' },
    ])
  })

  it('that no block could hold is TOO_LARGE', async () => {
    net = await createTestChain({ accounts, modules: [account, faucet, heavy] })
    const lift = (weight: number) => ({ to, call: 'heavy.lift', args: { weight } })
    const heaviest = { key: alice, nonce: 0, maxFee: 1_000_000n }
    const refused = net.sign({ ...heaviest, actions: [lift(60_000), lift(60_000)] })
    const taken = net.sign({ ...heaviest, actions: [lift(45_000), lift(45_000)] })
    expect(await net.chain.submit([refused, taken], { wait: 'EXECUTED' })).toMatchObject([
      { kind: 'refused', code: 'TOO_LARGE' },
      { kind: 'accepted', status: 'EXECUTED' },
    ])
  })

  it('looks like the largest that is not: 256 actions, lane 255, amounts that are all there is', async () => {
    net = await createTestChain({ accounts })
    const many = net.sign({
      key: alice,
      nonce: 0,
      lane: 255,
      actions: Array.from({ length: 256 }, () => ({ to, value: 1n })),
    })
    expect(await net.chain.submit([many], { wait: 'EXECUTED' })).toMatchObject([{ status: 'EXECUTED' }])
    const [cell] = await net.chain.cells(0, [alice.publicKey])
    // Lanes beyond 15 take a deposit.
    expect(cell?.deposit).toBeGreaterThan(0n)
    const fee = 10n ** 12n - 256n - (cell?.balance ?? 0n) - (cell?.deposit ?? 0n)
    const rest = net.sign({ key: alice, nonce: 0, actions: [{ to, value: 1n }] })
    const simulated = await net.chain.simulate(rest)
    const price = simulated.kind === 'done' ? simulated.fee : 0n
    expect(fee).toBeGreaterThan(256n)
    const all = net.sign({
      key: alice,
      nonce: 0,
      maxFee: 100n,
      actions: [{ to, value: (cell?.balance ?? 0n) - price - 1n }],
    })
    const [outcome] = await net.chain.submit([all], { wait: 'EXECUTED' })
    expect(outcome).toMatchObject({ kind: 'accepted', status: 'EXECUTED' })
    expect((await net.settled()).total).toBe(net.network.supply)
  })
})
