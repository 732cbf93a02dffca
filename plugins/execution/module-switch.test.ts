import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Action, cellId, cellPath, decodeHeader, ROOT_REALM } from '../../protocol/index.ts'
import type { SigningKey } from '../../server/crypto/ed25519.ts'
import { until } from '../../server/testing/index.ts'
import { counter } from './fixtures/counter.ts'
import { counter2 } from './fixtures/counter-2.ts'
import { account } from './modules/account.ts'
import { faucet } from './modules/faucet.ts'
import { SYSTEM_MODULES } from './modules/system.ts'
import { verifyDatabase } from './replay/verify.ts'
import { createTestChain, type TestChain, testKey } from './testing.ts'

const modules = [account, faucet, counter]
const operator = testKey('operator')
const bitOf = (id: Uint8Array): number => cellPath(id)[0]! >> 7
const counterOf = ({ publicKey }: SigningKey): Uint8Array => cellId('counter', publicKey, new Uint8Array(0))

/** A key whose account is in a shard, and its counter in the same one, or in the other one. */
function keyWith(bit: number, isCounterHere: boolean): SigningKey {
  for (let i = 0; ; i++) {
    const key = testKey(`client ${i}`)
    if (bitOf(key.publicKey) === bit && (bitOf(counterOf(key)) === bit) === isCounterHere) return key
  }
}

const near = [keyWith(0, true), keyWith(1, true)]
const far = [keyWith(0, false), keyWith(1, false)]
const clients = [...near, ...far]

let net: TestChain
/** Root height from which on version 2 is used. */
let at = 0
/** How often each client had its counter called, which is its next nonce in lane 0, too. */
const counted = new Map(clients.map((client) => [client, 0]))
/** Taken in under version 1, and waiting for a nonce until version 2 is in use. */
let late: Uint8Array

const call = (key: SigningKey, nonce: number, action: Partial<Action>, lane = 0): Uint8Array =>
  net.sign({ key, nonce, lane, actions: [{ to: counterOf(key), value: 5_000n, ...action }] })

const submit = async (wire: Uint8Array, wait: 'NONE' | 'INCLUDED' | 'EXECUTED' = 'EXECUTED') => {
  const [outcome] = await net.chain.submit([wire], { wait })
  return outcome
}

const activate = (nonce: number, version: number, height: number) => {
  const args = { name: 'counter', version, at: height }
  const action = { to: operator.publicKey, realm: ROOT_REALM, call: 'module.activate', args }
  return submit(net.sign({ key: operator, nonce, actions: [action] }))
}

/** Has a counter called, one time after the other, until told to stop. */
async function load(client: SigningKey, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const nonce = counted.get(client) ?? 0
    const outcome = await submit(call(client, nonce, { call: 'counter.add', args: { by: 1 } }), 'INCLUDED')
    // One that was taken in under version 1 may meet a block of version 2: it weighs more there, and goes in as well.
    if (outcome?.kind !== 'accepted' || outcome.at === null) throw new TypeError(`not included: nonce ${nonce}`)
    counted.set(client, nonce + 1)
  }
}

const countOf = async (client: SigningKey): Promise<number> => {
  const [cell] = await net.chain.cells(0, [counterOf(client)])
  return Number(cell?.value ?? 0)
}

beforeAll(async () => {
  net = await createTestChain({
    accounts: clients.map((key) => ({ key, balance: 10n ** 10n })),
    modules,
    offered: [counter2],
  })
  expect(await submit(call(near[0]!, 0, { call: 'counter.reset' }, 3))).toMatchObject({ code: 'UNKNOWN_CALL' })
  late = call(near[0]!, 1, { call: 'counter.bounceOff', args: { to: operator.publicKey } }, 3)
  expect(await submit(late, 'NONE')).toMatchObject({ status: 'PENDING' })
  let isOver = false
  const loads = clients.map((client) => load(client, () => isOver))
  at = net.chain.rootHeight() + 100
  expect(await activate(0, 2, at)).toMatchObject({ status: 'EXECUTED' })
  expect(net.chain.rootHeight()).toBeLessThan(at)
  await until(() => net.chain.rootHeight() > at + 20, 'version 2 is in use', 60_000)
  isOver = true
  await Promise.all(loads)
  await net.settled()
})
afterAll(() => net?.close())

describe('a module that changes its version under load', () => {
  it('runs the old one in every block before the root height, and the new one in every block from it on', async () => {
    for (const client of near) {
      const rows = await net.sql<{ header: Uint8Array; count: number }[]>`
        SELECT b.header, count(*)::int AS count FROM tx t JOIN block b USING (shard, height)
        WHERE t.sender = ${client.publicKey} GROUP BY b.header`
      const steps = rows.map(({ header, count }) => (decodeHeader(header).rootCursor < at ? 1 : 10) * count)
      expect(await countOf(client)).toBe(steps.reduce((sum, step) => sum + step, 0))
      expect(steps).toContain(1)
      expect(steps).toContain(10)
    }
    for (const client of far) {
      const [count, value] = [counted.get(client) ?? 0, await countOf(client)]
      // So many ones and tens.
      expect((value - count) % 9).toBe(0)
      expect(value).toBeGreaterThan(count)
      expect(value).toBeLessThan(10 * count)
    }
  })

  it('has the calls of the new one only', async () => {
    const [client] = near
    const gone = { call: 'counter.bounceOff', args: { to: operator.publicKey } }
    expect(await submit(call(client!, 0, gone, 4))).toMatchObject({ kind: 'refused', code: 'UNKNOWN_CALL' })
    const reset = await submit(call(client!, 0, { call: 'counter.reset' }, 3))
    expect(reset).toMatchObject({ status: 'EXECUTED' })
    expect(await countOf(client!)).toBe(0)
    // It was taken in under version 1; now its turn has come, and there is no such call any more.
    const id = (await submit(late, 'NONE')) ?? { id: null }
    await until(async () => (await net.chain.states([id.id!]))[0]?.status !== 'PENDING', 'it is decided about')
    expect((await net.chain.states([id.id!]))[0]).toMatchObject({ status: 'EVICTED', at: null })
  })

  it('can be executed again, with both versions at hand', async () => {
    const offered = [...modules, ...SYSTEM_MODULES]
    const report = await verifyDatabase({ sql: net.sql, offered: [...offered, counter2] })
    expect(report.rootHeight).toBeGreaterThan(at)
    await expect(verifyDatabase({ sql: net.sql, offered })).rejects.toThrow(
      expect.objectContaining({
        code: 'MODULE_SET',
        message: expect.stringMatching(/^from root height \d+ on .* version 2/),
      }),
    )
    await expect(
      verifyDatabase({ sql: net.sql, offered: [...offered.filter((m) => m !== counter), counter2] }),
    ).rejects.toThrow('version 1 of the ledger module "counter", this node has 2')
  })

  it('keeps its version over a restart', async () => {
    await net.restart()
    const before = await countOf(far[0]!)
    const nonce = counted.get(far[0]!) ?? 0
    await submit(call(far[0]!, nonce, { call: 'counter.add', args: { by: 2 } }))
    expect(await countOf(far[0]!)).toBe(before + 20)
  })

  it('is missed long before the height by a node that will not have it; that node does not start again', async () => {
    const height = net.chain.rootHeight() + 100
    await activate(1, 3, height)
    await until(() => net.chain.health().message !== undefined, 'the node says what it lacks')
    expect(net.chain.health()).toEqual({
      ok: true,
      message: expect.stringMatching(/^from root height \d+ on .* version 3/),
    })
    await expect(net.restart()).rejects.toThrow(
      expect.objectContaining({
        code: 'MODULE_SET',
        message: expect.stringContaining('version 3 of the ledger module "counter"'),
      }),
    )
  })
})

describe('a node that lacks what the network switches to', () => {
  it('makes no block that others would make otherwise: it stops at that height, and says why', async () => {
    const node = await createTestChain({ accounts: [{ key: near[0]!, balance: 10n ** 10n }], modules })
    try {
      const height = node.chain.rootHeight() + 40
      const args = { name: 'counter', version: 2, at: height }
      const action = { to: operator.publicKey, realm: ROOT_REALM, call: 'module.activate', args }
      const activation = node.sign({ key: operator, nonce: 0, actions: [action] })
      expect(await node.chain.submit([activation], { wait: 'EXECUTED' })).toMatchObject([{ status: 'EXECUTED' }])
      // Without work the root chain takes its time.
      for (let nonce = 0; node.chain.rootHeight() < height; nonce++) {
        const payment = node.transfer(near[0]!, near[1]!, 5n, nonce)
        await node.chain
          .submit([payment], { wait: 'INCLUDED', signal: AbortSignal.timeout(1000) })
          .catch(() => undefined)
      }
      expect(node.chain.health()).toEqual({ ok: false, message: expect.stringContaining('version 2') })
      const made = await node.sql<{ header: Uint8Array }[]>`SELECT header FROM block`
      expect(Math.max(...made.map(({ header }) => decodeHeader(header).rootCursor))).toBeLessThan(height)
    } finally {
      await node.close()
    }
  })
})
