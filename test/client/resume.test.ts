import { createServer, type Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Client, createClient, document, isClientError } from '../../client/index.ts'
import { everybodyIsAnonymous } from '../../server/graphql/authenticate.ts'
import type { Engine } from '../../server/graphql/engine.ts'
import { DEFAULT_LIMITS } from '../../server/graphql/limits.ts'
import { Ticker, tickerEngine } from '../../server/graphql/live/fixtures/ticker.ts'
import { serveWebSockets, type WebSockets } from '../../server/graphql/web-socket.ts'
import { silentLog } from '../../server/log.ts'
import { CuttingProxy } from '../scenarios/node/cutting-proxy.ts'
import { newSeed, Random } from '../scenarios/random.ts'

const ticks = document<{ ticks: { n: number } }, { after?: string }>(
  'subscription Ticks($after: Cursor) { ticks(after: $after) { n } }',
)
const state = document<{ state: { n: number } }, object>('subscription { state { n } }')
const CUTS = 30

/** A node that can be stopped and started again, as far as clients see it. */
interface Served {
  readonly engine: Engine
  readonly url: string
  stop(): Promise<void>
}

async function serve(ticker: Ticker): Promise<Served> {
  const engine = tickerEngine(ticker)
  const server: Server = createServer()
  const sockets: WebSockets = serveWebSockets(
    server,
    engine,
    DEFAULT_LIMITS,
    silentLog,
    everybodyIsAnonymous,
    () => true,
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    engine,
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/graphql`,
    async stop() {
      await engine.drain()
      await sockets.close()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

let ticker: Ticker
let node: Served
let proxy: CuttingProxy
let client: Client
beforeEach(async () => {
  ticker = new Ticker()
  node = await serve(ticker)
  proxy = await CuttingProxy.to(node.url)
  client = createClient({ url: proxy.url })
})
afterEach(async () => {
  await client.close()
  await proxy.close()
  await node.stop()
})

const isOpen = (count = 1) => expect.poll(() => node.engine.live.size, { timeout: 10_000, interval: 2 }).toBe(count)
const upTo = (end: number, begin = 0) => Array.from({ length: end - begin }, (_, n) => begin + n)

/** Reads in the background. */
function reading(variables: { after?: string } = {}, options = {}) {
  const seen: number[] = []
  const done = (async () => {
    for await (const { ticks: tick } of client.subscribe(ticks, variables, options)) seen.push(tick.n)
  })()
  done.catch(() => undefined)
  return { seen, done }
}

const has = ({ seen }: { seen: readonly number[] }, count: number) =>
  expect.poll(() => seen.length, { timeout: 10_000, interval: 2 }).toBeGreaterThanOrEqual(count)

describe('a stream of events whose connection is cut', () => {
  test('goes on where it was: nothing is missing, nothing comes twice', async () => {
    const random = new Random(newSeed())
    const causes: unknown[] = []
    const readers = [reading(), reading({}, { onResume: (cause: unknown) => causes.push(cause) })]
    await isOpen(2)
    ticker.tick()
    // Who has heard nothing yet begins where it is heard first.
    for (const reader of readers) await has(reader, 1)
    for (let cuts = 0; cuts < CUTS; cuts++) {
      for (let burst = random.between(1, 5); burst > 0; burst--) {
        ticker.tick(random.between(1, 40))
        if (random.percent(50)) await new Promise((resolve) => setTimeout(resolve, random.below(8)))
      }
      proxy.cut()
    }
    for (const reader of readers) {
      await has(reader, ticker.length)
      expect(reader.seen).toEqual(upTo(ticker.length))
    }
    expect(causes.length).toBeGreaterThan(0)
    expect(causes.every((cause) => isClientError(cause, 'DISCONNECTED'))).toBe(true)
  })

  test('before its first event misses none that came meanwhile', async () => {
    ticker.tick(5)
    const reader = reading()
    await isOpen()
    // What comes behind it on the same connection tells that its beginning has arrived.
    await client.subscribe(state, {}).next()
    proxy.cut()
    await isOpen(0)
    ticker.tick(3)
    await has(reader, 3)
    expect(reader.seen).toEqual([5, 6, 7])
  })

  test('goes on at the node that was started in its place', async () => {
    const reader = reading()
    await isOpen()
    ticker.tick(3)
    await has(reader, 3)
    await node.stop()
    ticker.tick(2)
    ticker.wakeUp()
    node = await serve(ticker)
    proxy.lead(node.url)
    ticker.tick()
    await has(reader, 6)
    expect(reader.seen).toEqual(upTo(6))
  })

  test('is given up when the node is away for too long, or if the caller wants to see to it', async () => {
    const patient = reading({}, { patience: 200 })
    const own = reading({}, { patience: 0 })
    await isOpen(2)
    await proxy.close()
    await expect(own.done).rejects.toMatchObject({ code: 'DISCONNECTED' })
    await expect(patient.done).rejects.toMatchObject({ code: 'DISCONNECTED' })
    proxy = await CuttingProxy.to(node.url)
  })

  test('ends when its reader leaves or aborts while it is away', async () => {
    const stop = new AbortController()
    const reader = reading({}, { signal: stop.signal })
    await isOpen()
    await proxy.close()
    await isOpen(0)
    stop.abort(new Error('enough'))
    await expect(reader.done).rejects.toThrow('enough')
    proxy = await CuttingProxy.to(node.url)
  })
})

test('a reader that is slower than the node gets everything all the same', async () => {
  ticker.tick(40_000)
  const stream = client.subscribe(ticks, { after: 't99' })
  const first = await stream.next()
  // It leaves the node when it has as much as it wants to hold, and comes back when that was read.
  await isOpen(0)
  const seen = [first.value?.ticks.n]
  for await (const { ticks: tick } of stream) if (seen.push(tick.n) === ticker.length - 100) break
  expect(seen).toEqual(upTo(40_000, 100))
  expect(ticker.sources).toBeGreaterThan(1)
})

test('a subscription without a cursor is not resumed behind its reader’s back', async () => {
  ticker.tick()
  const reader = client.subscribe(state, {})
  await reader.next()
  proxy.cut()
  await expect(reader.next()).rejects.toMatchObject({ code: 'DISCONNECTED' })
})
