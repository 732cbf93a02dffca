import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeNode, startFakeNode } from '../test/client/fake-node.ts'
import {
  type Client,
  type ClientErrorCode,
  createClient,
  document,
  keyPairFromSeed,
  signTransaction,
  transfer,
} from './index.ts'

const keys = keyPairFromSeed('01'.repeat(32))
const network = new Uint8Array(32).fill(7)
const { id, wire } = signTransaction(
  { network, realm: 0, lane: 0, nonce: 0, validUntil: 700, maxFee: 10_000n, actions: [transfer(keys.address, 5n)] },
  keys,
)
/** Longer than a connection is kept that nobody uses, in ms. */
const LINGER = 1_000
const ticks = document<{ tick: number }, { from: number }>('subscription Ticks($from: Int) { tick(from: $from) }')
let node: FakeNode
let client: Client

beforeEach(async () => {
  node = await startFakeNode()
  client = createClient({ url: node.url })
})

afterEach(async () => {
  await client.close()
  await node.close()
})

const failsWith = (code: ClientErrorCode, more: object = {}) =>
  expect.objectContaining({ name: 'ClientError', code, ...more })

async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe.each(['by subscription', 'by asking'])('waiting %s', (how) => {
  const own = () => (how === 'by asking' ? createClient({ url: node.url, webSocket: null }) : client)

  test('ends when it is executed, not before', async () => {
    node.ledger.running = false
    node.ledger.sent = true
    await client.submit(wire)
    const included = own().waitFor(id, { until: 'INCLUDED' })
    const executed = own().waitFor(id)
    let done = false
    void executed.then(() => {
      done = true
    })
    node.ledger.running = true
    node.ledger.include()
    expect(await included).toMatchObject({ id, status: 'INCLUDED', fee: 1700n, height: 5 })
    expect(done).toBe(false)
    node.ledger.finish()
    expect(await executed).toMatchObject({ id, status: 'EXECUTED', error: undefined })
  })

  test('FAILED is an answer', async () => {
    node.ledger.outcome = 'FAILED'
    await client.submit(wire)
    expect(await own().waitFor(id)).toMatchObject({
      status: 'FAILED',
      error: { code: 'NO_SUCH_CELL', message: 'nobody is there' },
    })
    expect(await own().waitFor(id, { until: 'INCLUDED' })).toMatchObject({ status: 'FAILED' })
  })

  test.each(['EXPIRED', 'REPLACED', 'EVICTED'] as const)('%s is the end without one', async (status) => {
    node.ledger.running = false
    await client.submit(wire)
    const failed = expect(own().waitFor(id)).rejects.toThrow(
      failsWith('NOT_INCLUDED', { reason: status, transaction: id }),
    )
    node.ledger.drop(status)
    await failed
  })

  test('a transaction that nobody knows is TRANSACTION_UNKNOWN', async () => {
    await expect(own().waitFor(id)).rejects.toThrow(failsWith('TRANSACTION_UNKNOWN'))
  })

  test('takes no longer than it may', async () => {
    node.ledger.running = false
    await client.submit(wire)
    await expect(own().waitFor(id, { timeout: 50 })).rejects.toThrow(failsWith('TIMEOUT'))
    const stop = new AbortController()
    const waiting = own().waitFor(id, { signal: stop.signal })
    stop.abort(new Error('stop'))
    await expect(waiting).rejects.toThrow('stop')
    await waitUntil(() => node.open.size === 0)
  })
})

test('waiting goes on when the connection ends', async () => {
  node.ledger.running = false
  await client.submit(wire)
  const waiting = client.waitFor(id)
  for (const _ of [1, 2, 3, 4]) {
    await waitUntil(() => node.open.size === 1 || node.requests.includes('Transaction'))
    node.disconnect(1012, 'restarting')
    await waitUntil(() => node.open.size === 0)
  }
  await waitUntil(() => node.requests.includes('Transaction'))
  node.ledger.running = true
  node.ledger.include()
  expect(await waiting).toMatchObject({ status: 'EXECUTED' })
})

describe('a subscription', () => {
  async function* count(from: number, to: number) {
    for (let tick = from; tick < to; tick++) yield { tick }
  }

  test('gives results in order, and ends when the server ends it', async () => {
    node.source = ({ variables }) => count(Number(variables.from), 20)
    const seen: number[] = []
    for await (const { tick } of client.subscribe(ticks, { from: 3 })) seen.push(tick)
    expect(seen).toEqual(Array.from({ length: 17 }, (_, i) => i + 3))
  })

  test('is ended at the server when its reader leaves, or is aborted', async () => {
    node.source = async function* () {
      yield { tick: 1 }
      await new Promise(() => undefined)
    }
    for await (const { tick } of client.subscribe(ticks, { from: 0 })) {
      expect(tick).toBe(1)
      break
    }
    await waitUntil(() => node.open.size === 0)
    const stop = new AbortController()
    const reading = client.subscribe(ticks, { from: 0 }, { signal: stop.signal })
    await reading.next()
    stop.abort(new Error('stop'))
    await expect(reading.next()).rejects.toThrow('stop')
    expect(await reading.next()).toEqual({ value: undefined, done: true })
    await waitUntil(() => node.open.size === 0)
    expect(() => client.subscribe(ticks, { from: 0 }, { signal: stop.signal })).toThrow('stop')
  })

  test('is not resumed behind its reader’s back: the end of the connection is told, with the reason', async () => {
    node.source = async function* () {
      yield { tick: 1 }
      await new Promise(() => undefined)
    }
    const reading = client.subscribe(ticks, { from: 0 })
    await reading.next()
    node.disconnect(4000, 'DRAINING')
    await expect(reading.next()).rejects.toThrow(failsWith('DISCONNECTED', { reason: 'DRAINING' }))
    // The next one connects anew.
    expect(await client.subscribe(ticks, { from: 0 }).next()).toEqual({ value: { tick: 1 }, done: false })
  })

  test('whose connection is closed with code 1000 does not begin again behind its reader’s back', async () => {
    node.source = async function* () {
      yield { tick: 1 }
      await new Promise(() => undefined)
    }
    const reading = client.subscribe(ticks, { from: 0 })
    await reading.next()
    node.disconnect(1000, 'bye')
    await expect(reading.next()).rejects.toThrow(failsWith('DISCONNECTED', { reason: 'bye' }))
    await waitUntil(() => node.open.size === 0)
    expect(await client.subscribe(ticks, { from: 0 }).next()).toEqual({ value: { tick: 1 }, done: false })
    expect(node.open.size).toBe(1)
  })

  test.each([
    ['of events', 'subscription Ticks($from: Int) { tick(after: $from) }'],
    ['of anything else', ticks.toString()],
  ])('%s ends when the client is closed, and is not taken up again', async (_what, query) => {
    node.source = async function* () {
      yield { tick: 1 }
      await new Promise(() => undefined)
    }
    const own = createClient({ url: node.url })
    const begun = node.connections
    const reading = own.subscribe(document<{ tick: number }, { from: number }>(query), { from: 0 })
    await reading.next()
    const rest = reading.next()
    await own.close()
    expect(await rest).toEqual({ value: undefined, done: true })
    await waitUntil(() => node.open.size === 0)
    // Longer than the first pause before a cut stream is taken up again.
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(node.connections).toBe(begun + 1)
  })

  test('that the server refuses throws its code', async () => {
    node.source = async function* () {
      yield { tick: 1 }
      throw Object.assign(new Error('the first cursor is 7'), { code: 'CURSOR_EXPIRED' })
    }
    const reading = client.subscribe(ticks, { from: 0 })
    await reading.next()
    await expect(reading.next()).rejects.toThrow(failsWith('GRAPHQL', { reason: 'CURSOR_EXPIRED' }))
  })

  test.each(['as an error', 'as a result'] as const)('that is refused %s does not end the others', async (how) => {
    node.refuses = how
    node.source = async function* ({ variables }) {
      yield { tick: 1 }
      if (Number(variables.from) === 0) await new Promise((resolve) => setTimeout(resolve, LINGER + 200))
      else throw Object.assign(new Error('no'), { code: 'NO' })
      yield { tick: 2 }
    }
    const other = client.subscribe(ticks, { from: 0 })
    await other.next()
    const reading = client.subscribe(ticks, { from: 1 })
    await reading.next()
    await expect(reading.next()).rejects.toThrow(failsWith('GRAPHQL', { reason: 'NO' }))
    expect(await other.next()).toEqual({ value: { tick: 2 }, done: false })
    expect(node.connections).toBe(1)
  })

  test('where no node is fails, and without a WebSocket there is none', async () => {
    const nowhere = createClient({ url: 'http://127.0.0.1:1/graphql' })
    await expect(nowhere.subscribe(ticks, { from: 0 }).next()).rejects.toThrow(failsWith('DISCONNECTED'))
    const without = createClient({ url: node.url, webSocket: null })
    expect(() => without.subscribe(ticks, { from: 0 })).toThrow(failsWith('UNREACHABLE'))
  })

  test('carries the headers as connection parameters, and shares one connection', async () => {
    node.source = ({ variables }) => count(Number(variables.from), 2)
    await Promise.all([0, 0, 1].map((from) => client.subscribe(ticks, { from }).next()))
    expect(node.connections).toBe(1)
    const known = createClient({ url: node.url, headers: { authorization: 'Bearer dk_1' } })
    await known.subscribe(ticks, { from: 0 }).next()
    expect(node.parameters.at(-1)).toEqual({ authorization: 'Bearer dk_1' })
    await known.close()
    const keyed = createClient({ url: node.url, apiKey: 'dk_2' })
    await keyed.subscribe(ticks, { from: 0 }).next()
    expect(node.parameters.at(-1)).toEqual({ authorization: 'Bearer dk_2' })
    await keyed.close()
  })
})
