import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SubmitOutcome } from '../../../plugins/execution/api.ts'
import { isFinal } from '../../../plugins/execution/gateway/states.ts'
import { account } from '../../../plugins/execution/modules/account.ts'
import { faucet } from '../../../plugins/execution/modules/faucet.ts'
import { verifyDatabase } from '../../../plugins/execution/replay/index.ts'
import { SHARD_TUNING } from '../../../plugins/execution/shard/engine.ts'
import { readOutcomes } from '../../../plugins/execution/shard/outcome.ts'
import { createTestChain, type TestChain, testKeyIn } from '../../../plugins/execution/testing.ts'
import { cellId, cellPath, decodeTransaction, Reader, readReceipt, toHex } from '../../../protocol/index.ts'
import type { SigningKey } from '../../../server/crypto/ed25519.ts'
import { until } from '../../../server/testing/program.ts'
import { memoryLog } from '../ledger/memory-log.ts'
import { DEADLY, LEFTOVERS, MISCHIEF, PATCHES, rogue } from '../modules/rogue.ts'

const alice = testKeyIn(0, 'alice')
const bob = testKeyIn(0, 'bob')
const carol = testKeyIn(1, 'carol')
const modules = [account, faucet, rogue]
const accounts = [alice, bob, carol].map((key) => ({ key, balance: 10n ** 9n }))
const tuning = { ...SHARD_TUNING, watchdogMs: 300, memoryMb: 200 }

/** What becomes of each, whether the transaction does it itself or by a message to the other shard. */
const EXPECTED: Record<keyof typeof MISCHIEF, string> = {
  throwNull: 'MODULE_FAULT',
  throwSymbol: 'MODULE_FAULT',
  throwProxy: 'MODULE_FAULT',
  throwFrozen: 'FROZEN',
  throwHuge: 'HUGE',
  throwHalf: 'HALF',
  throwLongCode: 'MODULE_FAULT',
  throwEmptyCode: 'MODULE_FAULT',
  throwGetter: 'MODULE_FAULT',
  returnPromise: 'MODULE_FAULT',
  returnRejection: 'MODULE_FAULT',
  returnThenable: 'MODULE_FAULT',
  returnGetter: 'MODULE_FAULT',
  returnProxy: 'MODULE_FAULT',
  sendUndeclared: 'UNDECLARED_SEND',
  sendInherited: 'UNDECLARED_SEND',
  sendTooMany: 'UNDECLARED_SEND',
  sendNegative: 'INSUFFICIENT_BALANCE',
  sendTooMuch: 'INSUFFICIENT_BALANCE',
  sendNumber: 'MODULE_FAULT',
  sendObject: 'MODULE_FAULT',
  sendNowhere: 'MODULE_FAULT',
  sendAnywhere: 'UNKNOWN_REALM',
  sendFraction: 'MODULE_FAULT',
  sendGiant: 'VALUE_TOO_LARGE',
  writeGiant: 'VALUE_TOO_LARGE',
  writeRefused: 'MODULE_FAULT',
  writeDeep: 'MODULE_FAULT',
  writeFunction: 'MODULE_FAULT',
  writeProxy: 'MODULE_FAULT',
  emitTooMany: 'VALUE_TOO_LARGE',
  emitGiant: 'VALUE_TOO_LARGE',
  emitForged: 'MODULE_FAULT',
  emitHalf: 'EXECUTED',
  keep: 'EXECUTED',
  useKept: 'MODULE_FAULT',
}

/** A cell of the module's that this account may make, in a shard of one's choice. */
function cellOf(key: SigningKey, bit: 0 | 1): Uint8Array {
  const id = cellId('rogue', key.publicKey, new Uint8Array(0))
  return cellPath(id)[0]! >> 7 === bit ? id : free(bit)
}

/** A cell that nobody owns. */
function free(bit: 0 | 1): Uint8Array {
  const id = new Uint8Array(32)
  while (cellPath(id)[0]! >> 7 !== bit) id[0]!++
  return id
}

let net: TestChain
const { log, entries } = memoryLog()
const nonces = new Map<SigningKey, number>()

/** Signs a call in the key's next nonce. */
function sign(key: SigningKey, to: Uint8Array, call: string, args: object, value = 5000n): Uint8Array {
  const nonce = nonces.get(key) ?? 0
  nonces.set(key, nonce + 1)
  return net.sign({ key, nonce, actions: [{ to, call, args: args as never, value }], maxFee: 1_000_000n })
}

const start = async (): Promise<void> => {
  nonces.clear()
  net = await createTestChain({ accounts, modules, parts: { tuning }, log })
}

const statusOf = (outcome: SubmitOutcome | undefined): string =>
  outcome?.kind === 'accepted' ? outcome.status : (outcome?.code ?? 'none')

/** Why the one action of a transaction was refused, in whichever shard; EXECUTED if it was not. */
async function fateOf(wire: Uint8Array): Promise<string> {
  const { id } = decodeTransaction(wire)
  const [row] = await net.sql<{ receipt: Uint8Array }[]>`
    SELECT substring(receipts from receipt_at + 1) AS receipt FROM tx JOIN block USING (shard, height) WHERE id = ${id}`
  if (row === undefined) return 'in no block'
  const own = readReceipt(new Reader(row.receipt)).errors
  const details = await net.sql<{ detail: Uint8Array }[]>`SELECT detail FROM outcome WHERE tx = ${id}`
  const elsewhere = details.flatMap(({ detail }) => readOutcomes(detail)).filter(({ kind, code }) => kind === 0 && code)
  const [error] = [...own, ...elsewhere]
  expect(error?.message.length ?? 0).toBeLessThanOrEqual(200)
  return error?.code ?? 'EXECUTED'
}

/** What becomes of transactions; an answer to a submission waits for it for some seconds only. */
async function endsOf(wires: readonly Uint8Array[]): Promise<readonly (string | undefined)[]> {
  const ids = wires.map((wire) => decodeTransaction(wire).id)
  let states: Awaited<ReturnType<typeof net.chain.states>> = []
  await until(async () => {
    states = await net.chain.states(ids)
    return states.every((state) => state !== null && isFinal(state.status))
  }, 'each comes to its end')
  return states.map((state) => state?.status)
}

const isSound = async (): Promise<void> => {
  expect(net.chain.health()).toEqual({ ok: true })
  expect((await net.settled()).total).toBe(net.network.supply)
}

describe('a module that misbehaves', () => {
  beforeAll(start)
  afterAll(() => net.close())

  it.each([
    ['in the sender’s shard', 0],
    ['by a message to another shard', 1],
  ] as const)('%s is refused each time, and disturbs nobody', async (_, bit) => {
    const to = cellOf(alice, bit)
    const bad = Object.keys(MISCHIEF).map((how) => sign(alice, to, 'rogue.mischief', { how }))
    const good = bad.map(() => sign(bob, carol.publicKey, 'account.credit', {}, 1n))
    const wires = bad.flatMap((wire, i) => [wire, good[i]!])
    const outcomes = await net.chain.submit(wires, { wait: 'EXECUTED' })
    expect(outcomes.filter((_, i) => i % 2 === 1).map(statusOf)).toEqual(good.map(() => 'EXECUTED'))
    const fates = await Promise.all(bad.map(fateOf))
    // A cell that it does not derive stays nobody's: what would be written is refused for that.
    expect(Object.fromEntries(Object.keys(MISCHIEF).map((how, i) => [how, fates[i]]))).toEqual(EXPECTED)
    await isSound()
  })

  it('changes nothing but its own copies', async () => {
    const before = await net.balance(carol)
    const wires = [0, 1, 0, 1].map((bit) => {
      const to = cellOf(alice, bit === 0 ? 0 : 1)
      return sign(alice, to, 'rogue.scribble', { to: carol.publicKey }, 100_000n)
    })
    wires.push(sign(alice, carol.publicKey, 'account.credit', {}, 3n))
    const outcomes = await net.chain.submit(wires, { wait: 'EXECUTED' })
    expect(statusOf(outcomes.at(-1))).toBe('EXECUTED')
    expect(await net.balance(carol)).toBe(before + 3n)
    await isSound()
  })

  it('cannot say what its call weighs', async () => {
    const outcomes = await net.chain.submit(
      ['throw', 'number', 'negative'].map((how) =>
        net.sign({
          key: alice,
          nonce: nonces.get(alice) ?? 0,
          actions: [{ to: free(0), call: 'rogue.weigh', args: { how } }],
        }),
      ),
      { wait: 'EXECUTED' },
    )
    expect(outcomes.map(statusOf)).toEqual(['BAD_ARGUMENTS', 'BAD_ARGUMENTS', 'BAD_ARGUMENTS'])
  })

  it('has left a chain that gives the same once more', async () => {
    await net.settled()
    const { blocks } = await verifyDatabase({ sql: net.sql, offered: net.modules })
    expect(blocks).toBeGreaterThan(1)
  })
})

describe('a module that reaches beyond its calls', () => {
  beforeAll(start)
  afterAll(() => net.close())

  it('is heard of when what it left behind fails, and ends no thread', async () => {
    const wires = ([0, 1] as const).flatMap((bit) =>
      Object.keys(LEFTOVERS).map((how) => sign(alice, free(bit), 'rogue.leave', { how })),
    )
    await net.chain.submit(wires, { wait: 'EXECUTED' })
    expect(new Set(await Promise.all(wires.map(fateOf)))).toEqual(new Set(['EXECUTED']))
    const left = () => entries.filter(({ message }) => message.includes('left a promise behind'))
    await until(() => new Set(left().map(({ fields: { shard } }) => shard)).size === 2, 'both shards tell')
    await isSound()
  })

  it('breaks where it changes what all share, and changes nothing', async () => {
    const wires = ([0, 1] as const).flatMap((bit) =>
      Object.keys(PATCHES).map((how) => sign(alice, free(bit), 'rogue.patch', { how })),
    )
    await net.chain.submit(wires, { wait: 'EXECUTED' })
    expect(new Set(await Promise.all(wires.map(fateOf)))).toEqual(new Set(['MODULE_FAULT']))
    await isSound()
  })
})

describe('a transaction that cannot be run to its end', () => {
  beforeAll(start)
  afterAll(() => net.close())

  const isBack = () => until(() => net.chain.health().ok, 'the shard runs again')
  const evictedWith = async (bad: Uint8Array): Promise<void> => {
    const good = () => sign(bob, carol.publicKey, 'account.credit', {}, 1n)
    const wires = [good(), good(), bad, good(), good()]
    await isBack()
    await net.chain.submit(wires, { wait: 'EXECUTED' })
    expect(await endsOf(wires)).toEqual(['EXECUTED', 'EXECUTED', 'EVICTED', 'EXECUTED', 'EXECUTED'])
    await isBack()
    const [again] = await net.chain.submit([bad], { wait: 'EXECUTED' })
    expect(again).toMatchObject({ kind: 'accepted', duplicate: true, status: 'EVICTED' })
    expect((await net.chain.states([decodeTransaction(bad).id]))[0]).toMatchObject({ status: 'EVICTED' })
    const told = entries.filter(({ message }) => message.includes(toHex(decodeTransaction(bad).id)))
    expect(told.map(({ level }) => level)).toContain('error')
    await isSound()
  }

  /** Signed in a nonce that comes again: nothing of it is ever included. */
  const deadly = (call: string, args: object) =>
    net.sign({ key: alice, nonce: 0, actions: [{ to: free(0), call, args: args as never }] })

  it.each(Object.keys(DEADLY))('is evicted, and what stood beside it is not: %s', async (how) => {
    await evictedWith(deadly('rogue.kill', { how }))
    expect(entries.at(-1)?.message ?? '').not.toBe('')
  })

  it('nor even be looked at', async () => {
    await evictedWith(deadly('rogue.admit', { n: 1 }))
  })

  it('nor simulated', async () => {
    const bad = deadly('rogue.kill', { how: 'loop' })
    await expect(net.chain.simulate(bad)).rejects.toMatchObject({ code: 'SHARD_UNAVAILABLE' })
    await isBack()
    await net.chain.submit([bad], { wait: 'EXECUTED' })
    expect(await endsOf([bad])).toEqual(['EVICTED'])
    await isBack()
    await isSound()
  })

  it('leaves the account free to go on', async () => {
    const wire = net.transfer(alice, carol, 1n, 0)
    await net.chain.submit([wire], { wait: 'EXECUTED' })
    expect(await endsOf([wire])).toEqual(['EXECUTED'])
  })
})
