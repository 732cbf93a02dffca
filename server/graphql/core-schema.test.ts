import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { createHttpServer, type HttpServer } from '../http/index.ts'
import { silentLog } from '../log.ts'
import { definePlugin, topic } from '../plugin.ts'
import { createTestHost, type TestHost } from '../testing/index.ts'

const Paid = topic('shop.paid', z.object({ amount: z.bigint(), to: z.instanceof(Uint8Array) }))
const Closed = topic('shop.closed', z.object({ n: z.int() }))
const shop = definePlugin({
  name: 'shop',
  version: '1.2.3',
  api: '^1.0.0',
  topics: [Paid, Closed],
  health: () => ({ ok: true, message: 'open' }),
})

let host: TestHost
let server: HttpServer
beforeAll(async () => {
  host = await createTestHost({ plugins: [shop()] })
  server = await createHttpServer({ schema: host.schema, log: silentLog, port: 0 })
})
afterAll(async () => {
  await server?.close()
  await host?.stop()
})

const pay = (amount: bigint) =>
  host.node.events.publish(host.sql('shop'), Paid, { amount, to: new Uint8Array([1, 255]) })
const Connection = z.object({
  events: z.object({
    edges: z.array(z.object({ node: z.object({ cursor: z.string(), topic: z.string(), payload: z.unknown() }) })),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
  }),
})
const page = async (args: string) =>
  Connection.parse(
    (
      await host.execute(
        `{ events(${args}) { edges { node { cursor topic payload } } pageInfo { hasNextPage endCursor } } }`,
      )
    ).data,
  ).events
const codeOf = async (query: string) => (await host.execute(query)).errors?.[0]?.extensions?.code

async function subscribe(args: string, howMany: number, during?: () => Promise<void>): Promise<unknown[]> {
  const client = createClient({ url: server.url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 })
  const seen: unknown[] = []
  const started = client.iterate({ query: `subscription { events${args} { payload cursor } }` })
  const acting = during === undefined ? undefined : new Promise((resolve) => setTimeout(resolve, 100)).then(during)
  for await (const { data } of started) {
    seen.push(data)
    if (seen.length === howMany) break
  }
  await acting
  await client.dispose()
  return seen
}

test('network and plugins tell what this node is', async () => {
  const result = await host.execute(
    '{ network { name version apiVersion time limits { depth cost pageSize bodyBytes } } plugins { name version status error dependsOn health { ok message } } }',
  )
  expect(JSON.parse(JSON.stringify(result))).toMatchObject({
    data: {
      network: {
        name: 'deaios',
        apiVersion: expect.stringMatching(/^\d/),
        time: expect.stringMatching(/Z$/),
        limits: { depth: 20, cost: 25_000, pageSize: 100 },
      },
      plugins: [
        {
          name: 'shop',
          version: '1.2.3',
          status: 'RUNNING',
          error: null,
          dependsOn: [],
          health: { ok: true, message: 'open' },
        },
      ],
    },
  })
})

test('events are paged, with bytes and big numbers as JSON can hold them', async () => {
  for (const amount of [1n, 2n ** 70n, 3n]) await pay(amount)
  await expect.poll(async () => (await page('first: 10')).edges.length).toBe(3)
  const first = await page('topics: ["shop.paid"], first: 2')
  expect(first.edges.map(({ node }) => node.payload)).toEqual([
    { amount: '1', to: '0x01ff' },
    { amount: (2n ** 70n).toString(), to: '0x01ff' },
  ])
  expect(first.pageInfo.hasNextPage).toBe(true)
  const rest = await page(`first: 2, after: "${first.pageInfo.endCursor}"`)
  expect(rest.edges.map(({ node }) => node.payload)).toEqual([{ amount: '3', to: '0x01ff' }])
  expect(rest.pageInfo.hasNextPage).toBe(false)
})

test('a subscription goes on behind a cursor, and live', async () => {
  const { edges } = await page('first: 1')
  const seen = await subscribe(`(topics: ["shop.paid"], after: "${edges[0]?.node.cursor}")`, 3, () => pay(4n))
  expect(seen).toMatchObject([
    { events: { payload: { amount: (2n ** 70n).toString() } } },
    { events: { payload: { amount: '3' } } },
    { events: { payload: { amount: '4' } } },
  ])
  expect(await subscribe('', 1, () => pay(5n))).toMatchObject([{ events: { payload: { amount: '5' } } }])
})

test.each([
  ['{ events(topics: ["shop.nothing"]) { pageInfo { hasNextPage } } }', 'UNKNOWN_TOPIC'],
  ['{ events(first: 101) { pageInfo { hasNextPage } } }', 'PAGE_TOO_LARGE'],
  ['{ events(after: "zzz") { pageInfo { hasNextPage } } }', 'BAD_CURSOR'],
])('%s is refused with a code', async (query, code) => {
  expect(await codeOf(query)).toBe(code)
})

test('the end of the node ends a subscription with DRAINING and the cursor to resume from', async () => {
  const client = createClient({ url: server.url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 })
  const results: unknown[] = []
  const reading = (async () => {
    for await (const result of client.iterate({ query: 'subscription { events { cursor payload } }' }))
      results.push(JSON.parse(JSON.stringify(result)))
  })()
  await new Promise((resolve) => setTimeout(resolve, 100))
  await pay(6n)
  await expect.poll(() => results.length).toBe(1)
  await host.restart()
  await reading
  const End = z.object({
    errors: z.array(z.object({ extensions: z.object({ code: z.literal('DRAINING'), cursor: z.string() }) })).length(1),
  })
  const after = End.parse(results[1]).errors[0]?.extensions.cursor
  await pay(7n)
  await expect
    .poll(async () => (await page(`first: 5, after: "${after}"`)).edges.map(({ node }) => node.payload))
    .toEqual([{ amount: '7', to: '0x01ff' }])
  await client.dispose()
})
