import { afterEach, describe, expect, it } from 'vitest'
import { cellId, toHex } from '../../protocol/index.ts'
import type { SigningKey } from '../../server/crypto/ed25519.ts'
import { counter } from './fixtures/counter.ts'
import { account } from './modules/account.ts'
import { faucet } from './modules/faucet.ts'
import { createTestChain, type TestChain, testKeyIn } from './testing.ts'

const alice = testKeyIn(0, 'alice')
const START = 10_000_000n
const faults: [string, number][] = []
const options = {
  accounts: [{ key: alice, balance: START }],
  modules: [account, faucet, counter],
  parts: { onFaults: (call: string, count: number) => void faults.push([call, count]) },
}
const cellOf = (key: SigningKey): Uint8Array => cellId('counter', key.publicKey, new Uint8Array(0))

let net: TestChain
afterEach(() => net.close())

const call = async (
  nonce: number,
  name: string,
  args: Record<string, never | string | number | Uint8Array>,
  value = 0n,
  to = cellOf(alice),
) => {
  const wire = net.sign({ key: alice, nonce, actions: [{ to, call: `counter.${name}`, args, value }] })
  const [outcome] = await net.chain.submit([wire], { wait: 'EXECUTED' })
  return outcome
}

const counterCell = async () => (await net.chain.cells(0, [cellOf(alice)]))[0]

describe('a ledger module', () => {
  it('keeps a value in a cell of its own, against a deposit that comes back', async () => {
    net = await createTestChain(options)
    expect(await call(0, 'add', { by: 5 }, 1000n)).toMatchObject({ status: 'EXECUTED' })
    expect(await counterCell()).toMatchObject({ owner: 'counter', value: 5, deposit: 10n, balance: 990n })
    await call(1, 'add', { by: 20 }, 500n)
    // 25 takes two bytes where 5 took one.
    expect(await counterCell()).toMatchObject({ value: 25, deposit: 20n, balance: 1480n })
    await call(2, 'remove', {})
    expect(await counterCell()).toBeNull()
    const spent = START - (await net.balance(alice))
    // Fees apart, everything came home.
    expect(spent).toBeLessThan(200n)
    expect((await net.settled()).total).toBe(net.network.supply)
  })

  it('cannot make a cell whose id it does not derive, so nobody takes over an account', async () => {
    net = await createTestChain(options)
    const victim = testKeyIn(0, 'victim')
    await net.chain.submit([net.transfer(alice, victim, 5000n, 0)], { wait: 'EXECUTED' })
    expect(await call(1, 'add', { by: 1 }, 100n, victim.publicKey)).toMatchObject({ status: 'FAILED' })
    expect(await net.balance(victim)).toBe(5000n)
  })

  it('leaves no trace of a call that is refused, and the value comes back', async () => {
    net = await createTestChain(options)
    await call(0, 'add', { by: 1 }, 100_000n)
    const before = await counterCell()
    const hows = ['refuse', 'throw', 'undeclared', 'overspend', 'giant', 'changeAndThrow']
    for (const [i, how] of hows.entries()) {
      expect(await call(1 + i, 'misbehave', { how }, 500n)).toMatchObject({ status: 'FAILED' })
    }
    expect(await counterCell()).toMatchObject({ value: 1, balance: before?.balance })
    expect(faults).toEqual([['counter.misbehave', 1]])
    const rows = await net.sql<
      { receipts: Uint8Array }[]
    >`SELECT receipts FROM block WHERE tx_count > 0 ORDER BY height`
    const text = rows.map((row) => Buffer.from(row.receipts).toString('latin1')).join()
    const codes = [
      'NO_THANKS',
      'MODULE_FAULT',
      'UNDECLARED_SEND',
      'INSUFFICIENT_BALANCE',
      'VALUE_TOO_LARGE',
      'CHANGED_MY_MIND',
    ]
    for (const code of codes) expect(text).toContain(code)
    // What an engine says of an error may change with its version: it must not be hashed.
    expect(text).not.toContain('differs between engines')
    expect((await net.settled()).total).toBe(net.network.supply)
  })

  it('is told when a message that it sent bounces, wherever it was refused', async () => {
    net = await createTestChain(options)
    for (const [i, bit] of ([0, 1] as const).entries()) {
      const target = cellOf(testKeyIn(bit, 'somebody'))
      expect(await call(i, 'bounceOff', { to: target }, 10_000n)).toMatchObject({ kind: 'accepted' })
      await net.settled()
      expect(await counterCell()).toMatchObject({ value: 1000 * (i + 1), balance: BigInt(10_000 * (i + 1)) - 30n })
    }
    expect((await net.settled()).total).toBe(net.network.supply)
  })

  it('says what it would do without doing it', async () => {
    net = await createTestChain(options)
    const carol = testKeyIn(1, 'carol')
    const wire = net.sign({
      key: alice,
      nonce: 0,
      actions: [
        { to: cellOf(alice), call: 'counter.add', args: { by: 100 }, value: 70n },
        { to: carol.publicKey, value: 40n },
        { to: carol.publicKey, call: 'counter.misbehave', args: { how: 'refuse' } },
      ],
    })
    const simulated = await net.chain.simulate(wire)
    expect(simulated).toMatchObject({
      kind: 'done',
      actions: [
        { status: 'REFUSED', error: { code: 'INSUFFICIENT_BALANCE' } },
        { status: 'DONE', shard: '0:1', events: [{ topic: 'execution.credited' }] },
        { status: 'REFUSED', shard: '0:1', error: { code: 'NO_THANKS' } },
      ],
    })
    expect(await net.balance(alice)).toBe(START)
    expect(await net.balance(carol)).toBe(0n)
    const [outcome] = await net.chain.submit([wire], { wait: 'EXECUTED' })
    expect(outcome).toMatchObject({ kind: 'accepted', id: simulated.kind === 'done' ? simulated.id : null })
    expect(START - (await net.balance(alice))).toBe(40n + (simulated.kind === 'done' ? simulated.fee : 0n))
    expect(toHex(wire)).toMatch(/^0x8b/)
  })
})
