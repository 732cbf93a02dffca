import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeNode, startFakeNode } from '../test/client/fake-node.ts'
import {
  action,
  type Client,
  type ClientErrorCode,
  createClient,
  document,
  fromHex,
  keyPairFromSeed,
  signTransaction,
  toHex,
  transfer,
} from './index.ts'

const keys = keyPairFromSeed('01'.repeat(32))
const bob = keyPairFromSeed('02'.repeat(32)).address
const network = new Uint8Array(32).fill(7)
let node: FakeNode
let client: Client

beforeEach(async () => {
  node = await startFakeNode()
  client = createClient({ url: node.url, key: keys })
})

afterEach(async () => {
  await client.close()
  await node.close()
})

const failsWith = (code: ClientErrorCode, more: object = {}) =>
  expect.objectContaining({ name: 'ClientError', code, ...more })

const signed = (nonce = 0, value = 5n) =>
  signTransaction(
    { network, realm: 0, lane: 0, nonce, validUntil: 700, maxFee: 10_000n, actions: [transfer(bob, value)] },
    keys,
  )

describe('asking', () => {
  test('the network, an account, a transaction', async () => {
    expect(await client.network()).toEqual({
      id: `0x${'07'.repeat(32)}`,
      name: 'fake',
      version: '1.0.0',
      rootHeight: 100,
      shardCount: 2,
    })
    const { id, wire } = signed()
    await client.submit(wire)
    expect(await client.account(bob)).toEqual({ address: bob, balance: 5n, lanes: new Map(), shard: '0:0' })
    expect((await client.account(fromHex(keys.address)))?.lanes).toEqual(new Map([[0, 1]]))
    expect(await client.account(bob, { realm: 9 })).toBeUndefined()
    expect(await client.transaction(id)).toEqual({
      id,
      status: 'EXECUTED',
      error: undefined,
      fee: 1700n,
      shard: '0:0',
      height: 5,
    })
    expect(await client.transaction(bob)).toBeUndefined()
  })

  test('never for something older than what was seen before', async () => {
    node.extensions = { height: { '0:0': 7, root: 3 } }
    await client.network()
    expect(node.asked).toBeUndefined()
    node.extensions = { height: { '0:0': 5, '0:1': 2 } }
    await client.network()
    expect(node.asked).toEqual({ atLeastHeight: { '0:0': 7, root: 3 } })
    node.extensions = undefined
    await client.network()
    expect(node.asked).toEqual({ atLeastHeight: { '0:0': 7, root: 3, '0:1': 2 } })
  })

  test('anything, with typed results', async () => {
    const own = document<{ network: { name: string } }, Record<string, never>>('query Network { network { name } }')
    expect((await client.request(own, {})).network.name).toBe('fake')
  })

  test('what the server does not have is a GRAPHQL error with its code', async () => {
    const wrong = document<unknown, Record<string, never>>('query Wrong { wrong }')
    await expect(client.request(wrong, {})).rejects.toThrow(
      failsWith('GRAPHQL', { reason: 'GRAPHQL_VALIDATION_FAILED', message: 'no operation Wrong' }),
    )
  })

  test('a place where no node is', async () => {
    const nowhere = createClient({ url: 'http://127.0.0.1:1/graphql' })
    await expect(nowhere.network()).rejects.toThrow(failsWith('UNREACHABLE'))
    const other = (status: number, body: string) =>
      createClient({ url: node.url, fetch: async () => new Response(body, { status }) })
    await expect(other(404, '<html>').network()).rejects.toThrow(failsWith('BAD_RESPONSE'))
    await expect(other(200, '[]').network()).rejects.toThrow(failsWith('BAD_RESPONSE'))
    await expect(other(503, 'later').network()).rejects.toThrow(failsWith('UNREACHABLE'))
    await expect(other(200, '{"errors":"no"}').network()).rejects.toThrow(failsWith('BAD_RESPONSE'))
    await expect(other(200, '{"errors":[null]}').network()).rejects.toThrow(failsWith('GRAPHQL'))
  })

  test('an answer without end', async () => {
    let sent = 0
    let isLeft = false
    const endless = () =>
      new ReadableStream({
        pull: (stream) => {
          sent++
          stream.enqueue(new Uint8Array(1 << 20).fill(32))
        },
        cancel: () => {
          isLeft = true
        },
      })
    const reading = createClient({ url: node.url, fetch: async () => new Response(endless()) })
    await expect(reading.network()).rejects.toThrow(failsWith('BAD_RESPONSE'))
    expect(isLeft).toBe(true)
    expect(sent).toBeLessThan(100)
  })

  test('a node that does not answer, or a caller who has had enough', async () => {
    const silent: typeof fetch = (_url, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
      })
    const waiting = createClient({ url: node.url, fetch: silent, timeout: 20 })
    await expect(waiting.network()).rejects.toThrow(failsWith('TIMEOUT'))
    const enough = new AbortController()
    const asked = waiting.network({ signal: enough.signal })
    enough.abort(new Error('enough'))
    await expect(asked).rejects.toThrow('enough')
  })
})

describe('a session key', () => {
  test('sends for the account that authorised it, in its own lane', async () => {
    const agent = createClient({ url: node.url, key: keyPairFromSeed('03'.repeat(32)), account: keys.address, lane: 7 })
    await agent.transfer(bob, 5n)
    await agent.transfer(bob, 6n)
    const sent = [...node.ledger.entries.values()].map(({ transaction }) => transaction)
    expect(sent.map(({ sender, lane, nonce }) => [toHex(sender), lane, nonce])).toEqual([
      [keys.address, 7, 0],
      [keys.address, 7, 1],
    ])
    await agent.close()
  })
})

describe('submitting', () => {
  test('pays once when the answer is lost, whichever way', async () => {
    node.mishaps.set('SubmitTransaction', ['drop after', 503, 'drop before', 'drop after'])
    expect(await client.submit(signed().wire)).toEqual({
      status: 'EXECUTED',
      duplicate: true,
      at: { shard: '0:0', height: 5 },
    })
    expect(node.requests).toEqual(Array(5).fill('SubmitTransaction'))
    expect(node.ledger.received.get(bob)).toBe(5n)
  })

  test('comes back to a node that cannot take it now, and tells its code if it never can', async () => {
    node.mishaps.set('SubmitTransaction', ['SHARD_UNAVAILABLE', 'OVERLOADED'])
    expect(await client.submit(signed().wire)).toMatchObject({ status: 'EXECUTED', duplicate: false })
    node.mishaps.set('SubmitTransaction', Array(6).fill('OVERLOADED'))
    await expect(client.submit(signed(1).wire)).rejects.toThrow(failsWith('UNREACHABLE', { reason: 'OVERLOADED' }))
  })

  test('a refusal is final, and says why', async () => {
    await client.submit(signed().wire)
    await expect(client.submit(signed(0, 6n).wire)).rejects.toThrow(failsWith('REFUSED', { reason: 'NONCE_USED' }))
    expect(node.requests).toHaveLength(2)
  })

  test('of many gives one outcome each, in their order', async () => {
    const outcomes = await client.submitAll([signed(1), signed(0), signed(0, 6n)].map(({ wire }) => wire))
    expect(outcomes).toEqual([
      { kind: 'accepted', status: 'PENDING', duplicate: false, at: undefined },
      { kind: 'accepted', status: 'EXECUTED', duplicate: false, at: { shard: '0:0', height: 5 } },
      { kind: 'refused', code: 'NONCE_USED', message: 'because of NONCE_USED' },
    ])
  })

  test('the faucet refuses by its code', async () => {
    await expect(client.faucet(bob)).rejects.toThrow(failsWith('REFUSED', { reason: 'NO_FAUCET' }))
  })
})

describe('sending', () => {
  test('signs for the network, pays, and tells what it cost', async () => {
    const sent = await client.transfer(bob, 5n)
    expect(sent).toMatchObject({ status: 'EXECUTED', fee: 1700n, shard: '0:0', height: 5 })
    const [entry] = node.ledger.entries.values()
    expect(entry?.transaction).toMatchObject({ network, lane: 0, nonce: 0, validUntil: 700, maxFee: 3400n })
    expect(node.ledger.received.get(bob)).toBe(5n)
  })

  test('with more room for a fee that rises, or less', async () => {
    const careful = createClient({ url: node.url, key: keys, headroom: 1.1 })
    try {
      await careful.transfer(bob, 5n)
      await careful.transfer(bob, 6n, { headroom: 10 })
      await careful.transfer(bob, 7n, { maxFee: 1701n })
    } finally {
      await careful.close()
    }
    const allowed = [...node.ledger.entries.values()].map(({ transaction }) => transaction.maxFee)
    expect(allowed).toEqual([1870n, 17_000n, 1701n])
    await expect(client.transfer(bob, 1n, { headroom: 0.5 })).rejects.toThrow(/headroom/)
  })

  test('asks what it costs again when the fee has risen meanwhile, and pays once', async () => {
    await client.transfer(bob, 1n)
    node.ledger.fee = 9000n
    const [second, third] = await Promise.all([2n, 3n].map((value) => client.transfer(bob, value)))
    expect([second, third]).toMatchObject([{ fee: 9000n }, { fee: 9000n }])
    expect(node.ledger.order).toEqual([1n, 2n, 3n])
    expect(node.ledger.nextNonce(keys.address, 0)).toBe(3)
    expect([...node.ledger.entries.values()].at(-1)?.transaction.maxFee).toBe(18_000n)
  })

  test('never allows more than it was told to', async () => {
    const sent = client.transfer(bob, 1n, { maxFee: 1000n })
    await expect(sent).rejects.toThrow(failsWith('REFUSED', { reason: 'FEE_TOO_LOW' }))
    expect(node.requests.filter((name) => name === 'SubmitTransaction')).toHaveLength(1)
    await client.transfer(bob, 2n)
    expect(node.ledger.order).toEqual([2n])
  })

  test('any number at a time: each once, in the order of the calls', async () => {
    const values = Array.from({ length: 150 }, (_, i) => BigInt(i + 1))
    node.mishaps.set('SubmitTransaction', ['drop after', 503, 'drop before'])
    const sent = await Promise.all(values.map((value) => client.transfer(bob, value)))
    expect(new Set(sent.map(({ id }) => id)).size).toBe(150)
    expect(node.ledger.order).toEqual(values)
    // The network and the lane's nonce were asked for once.
    expect(node.requests.filter((name) => name === 'Account')).toHaveLength(1)
    expect(node.requests.filter((name) => name === 'Network')).toHaveLength(1)
  })

  test('more than may wait in a lane, while nothing is included', async () => {
    node.ledger.running = false
    const values = Array.from({ length: 100 }, (_, i) => BigInt(i + 1))
    const sent = Promise.all(values.map((value) => client.transfer(bob, value, { until: 'INCLUDED' })))
    await waitUntil(() => node.ledger.entries.size >= 60)
    node.ledger.running = true
    node.ledger.include()
    await sent
    expect(node.ledger.order).toEqual(values)
  })

  test('in several lanes, each with its own nonces', async () => {
    await Promise.all([0, 1, 1, 2].map((lane) => client.transfer(bob, 1n, { lane })))
    expect([0, 1, 2].map((lane) => node.ledger.nextNonce(keys.address, lane))).toEqual([1, 2, 1])
  })

  test('passes over nonces that another program of the account used', async () => {
    await client.transfer(bob, 1n)
    node.ledger.useNonce(keys.address, 0)
    node.ledger.useNonce(keys.address, 0)
    await client.transfer(bob, 2n)
    expect(node.ledger.order).toEqual([1n, 2n])
    expect(node.ledger.nextNonce(keys.address, 0)).toBe(4)
  })

  test('after a refusal, the next one takes the nonce that came back', async () => {
    node.ledger.refusedValue = 2n
    const sent = await Promise.allSettled([1n, 2n].map((value) => client.transfer(bob, value)))
    expect(sent[1]).toMatchObject({ reason: failsWith('REFUSED', { reason: 'INSUFFICIENT_FUNDS' }) })
    await client.transfer(bob, 3n)
    expect(node.ledger.order).toEqual([1n, 3n])
    expect(node.ledger.nextNonce(keys.address, 0)).toBe(2)
  })

  test.each(['forget', 'evict'])('what the node loses before it is included is submitted again: %s', async (how) => {
    node.ledger.running = false
    const sent = client.transfer(bob, 5n)
    await waitUntil(() => node.open.size === 1)
    node.ledger.running = true
    if (how === 'forget') node.ledger.forget()
    else node.ledger.drop('EVICTED')
    expect(await sent).toMatchObject({ status: 'EXECUTED' })
    expect(node.ledger.order).toEqual([5n])
  })

  test('what expires is NOT_INCLUDED, and its nonce is used by the next', async () => {
    node.ledger.running = false
    const sent = client.transfer(bob, 5n)
    const failed = expect(sent).rejects.toThrow(failsWith('NOT_INCLUDED', { reason: 'EXPIRED' }))
    await waitUntil(() => node.open.size === 1)
    node.ledger.drop('EXPIRED')
    await failed
    node.ledger.running = true
    await client.transfer(bob, 6n)
    expect(node.ledger.order).toEqual([6n])
    expect(node.ledger.nextNonce(keys.address, 0)).toBe(1)
  })

  test('what was taken keeps its nonce when its sender stops waiting', async () => {
    node.ledger.running = false
    const stop = new AbortController()
    const sent = client.transfer(bob, 5n, { signal: stop.signal })
    await waitUntil(() => node.open.size === 1)
    stop.abort(new Error('no more waiting'))
    await expect(sent).rejects.toThrow('no more waiting')
    const next = client.transfer(bob, 6n)
    await waitUntil(() => node.ledger.entries.size === 2)
    node.ledger.running = true
    node.ledger.include()
    await next
    expect(node.ledger.order).toEqual([5n, 6n])
  })

  test('a call with arguments, without waiting', async () => {
    const sent = await client.send([action({ to: bob, call: 'counter.add', args: { by: 3 } })], { until: 'NONE' })
    expect(node.ledger.entries.get(sent.id)?.transaction.actions[0]).toMatchObject({
      call: 'counter.add',
      args: { by: 3 },
      value: 0n,
      realm: 0,
    })
  })

  test('takes a key', async () => {
    const reader = createClient({ url: node.url })
    await expect(reader.transfer(bob, 1n)).rejects.toThrow(failsWith('KEY_MISSING'))
    await expect(reader.estimateFee([transfer(bob, 1n)])).rejects.toThrow(failsWith('KEY_MISSING'))
    expect(await client.estimateFee([transfer(bob, 1n)])).toEqual({ fee: 1700n, weight: 17n })
  })

  test('gives up in time, naming the transaction', async () => {
    node.ledger.running = false
    const sent = client.transfer(bob, 5n, { timeout: 300 })
    await expect(sent).rejects.toThrow(failsWith('TIMEOUT', { transaction: expect.stringMatching(/^0x/) }))
  })
})

async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}
