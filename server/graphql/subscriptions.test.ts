import { connect } from 'node:net'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createHttpServer, type HttpServer } from '../http/index.ts'
import { silentLog } from '../log.ts'
import { type ZooLog, zooSchema } from './fixtures/zoo.ts'
import { DEFAULT_LIMITS } from './index.ts'

const log: ZooLog = { loads: [], order: [], aborted: 0 }
let server: HttpServer
beforeAll(async () => {
  server = await createHttpServer({
    schema: zooSchema(log),
    log: silentLog,
    port: 0,
    limits: { ...DEFAULT_LIMITS, subscriptionsPerConnection: 3 },
  })
})
afterAll(() => server.close())

interface Result {
  readonly data?: unknown
  readonly errors?: readonly {
    readonly message: string
    readonly extensions?: { readonly code?: string; readonly cursor?: string }
  }[]
}

const clientOf = (to = server) =>
  createClient({ url: to.url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0, lazyCloseTimeout: 0 })

async function byWebSocket(query: string, to = server): Promise<Result[]> {
  const client = clientOf(to)
  const results: Result[] = []
  try {
    for await (const result of client.iterate({ query })) results.push(JSON.parse(JSON.stringify(result)))
  } catch (errors) {
    results.push({ errors: JSON.parse(JSON.stringify(errors)) })
  }
  await client.dispose()
  return results
}

async function bySse(query: string, to = server): Promise<Result[]> {
  const response = await fetch(to.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query }),
  })
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  const text = await response.text()
  return text
    .split('\n\n')
    .flatMap((message) =>
      message.startsWith('event: next') ? [JSON.parse(message.slice(message.indexOf('data: ') + 6))] : [],
    )
}

describe.each([
  ['a WebSocket', byWebSocket],
  ['server-sent events', bySse],
])('over %s', (_transport, read) => {
  test('a subscription gives its results and completes', async () => {
    expect(await read('subscription { count(to: 3) }')).toEqual([1, 2, 3].map((count) => ({ data: { count } })))
  })

  test('a query and a mutation work too', async () => {
    expect(await read('{ hello }')).toEqual([{ data: { hello: 'hello world' } }])
    expect(await read('mutation { step(name: "x", ms: 0) }')).toEqual([{ data: { step: 'x' } }])
  })

  test('an end with a code keeps its code and its cursor', async () => {
    const results = await read('subscription { expires }')
    expect(results[0]).toEqual({ data: { expires: 1 } })
    expect(results[1]?.errors).toMatchObject([{ extensions: { code: 'CURSOR_EXPIRED', cursor: 'e1_0' } }])
    expect(results.length).toBe(2)
  })

  test('an unexpected end is hidden behind an id', async () => {
    const [first, last] = await read('subscription { breaks }')
    expect(first).toEqual({ data: { breaks: 1 } })
    expect(last?.errors?.[0]?.extensions?.code).toBe('INTERNAL_SERVER_ERROR')
    expect(JSON.stringify(last)).not.toContain('secret')
  })

  test.each([
    ['subscription { nothing }', 'GRAPHQL_VALIDATION_FAILED'],
    ['subscription {', 'GRAPHQL_PARSE_FAILED'],
    ['subscription { count(to: "x") }', 'GRAPHQL_VALIDATION_FAILED'],
    [`{ ${Array.from({ length: 60 }, (_, n) => `a${n}: hello`).join(' ')} }`, 'TOO_MANY_ALIASES'],
  ])('%s is refused with a code', async (query, code) => {
    const [result] = await read(query)
    expect(result?.errors?.[0]?.extensions?.code).toBe(code)
  })

  test('the server can drain: the stream ends with DRAINING', async () => {
    const other = await createHttpServer({ schema: zooSchema(log), log: silentLog, port: 0 })
    const reading = read('subscription { forever }', other)
    await new Promise((resolve) => setTimeout(resolve, 100))
    await other.close()
    const results = await reading
    expect(results[0]).toEqual({ data: { forever: 1 } })
    expect(results[1]?.errors?.[0]?.extensions?.code).toBe('DRAINING')
  })
})

test('unsubscribing aborts the work behind it, also while that waits', async () => {
  log.aborted = 0
  const client = clientOf()
  for await (const _ of client.iterate({ query: 'subscription { forever }' })) break
  await expect.poll(() => log.aborted).toBe(1)
  await client.dispose()
})

test('a client that vanishes ends its streams', async () => {
  log.aborted = 0
  const abort = new AbortController()
  const response = await fetch(server.url, {
    method: 'POST',
    signal: abort.signal,
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: '{"query":"subscription { forever }"}',
  })
  await response.body?.getReader().read()
  abort.abort()
  await expect.poll(() => log.aborted).toBe(1)
  const socket = await opened()
  socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: 'subscription { forever }' } }))
  await messages(socket, 1)
  socket.terminate()
  await expect.poll(() => log.aborted).toBe(2)
})

test('a query over a socket that closes is told so', async () => {
  log.aborted = 0
  const socket = await opened()
  socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: '{ slow(ms: 200) }' } }))
  setTimeout(() => socket.terminate(), 50)
  await expect.poll(() => log.aborted).toBe(1)
})

async function opened(headers: Record<string, string> = {}): Promise<WebSocket> {
  const socket = new WebSocket(server.url.replace('http', 'ws'), 'graphql-transport-ws', { headers })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const acknowledged = messages(socket, 1)
  socket.send('{"type":"connection_init"}')
  await acknowledged
  return socket
}

function messages(socket: WebSocket, howMany: number): Promise<{ type: string; id?: string; payload?: unknown }[]> {
  const found: { type: string }[] = []
  return new Promise((resolve) => {
    const listen = (data: unknown) => {
      found.push(JSON.parse(String(data)))
      if (found.length < howMany) return
      socket.off('message', listen)
      resolve(found)
    }
    socket.on('message', listen)
  })
}

test('a connection has a bounded number of operations', async () => {
  const socket = await opened()
  const firsts = messages(socket, 4)
  for (const id of ['1', '2', '3', '4'])
    socket.send(JSON.stringify({ type: 'subscribe', id, payload: { query: 'subscription { forever }' } }))
  const refused = (await firsts).find(({ type }) => type === 'error')
  expect(refused).toMatchObject({ id: '4', payload: [{ extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } }] })
  socket.terminate()
})

test('a page of another origin cannot connect', async () => {
  await expect(opened({ origin: 'https://evil.example' })).rejects.toThrow('403')
  const own = await opened({ origin: new URL(server.url).origin })
  own.terminate()
})

test.each(['not JSON', '[]', '{"type":"unknown"}', '{"type":"subscribe","id":"1"}'])(
  'a broken message %s closes its own connection only',
  async (text) => {
    const socket = await opened()
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    socket.send(text)
    expect(await closed).toBe(4400)
    expect(await byWebSocket('{ hello }')).toEqual([{ data: { hello: 'hello world' } }])
  },
)

test('an upgrade elsewhere, or in another protocol, is refused', async () => {
  const elsewhere = new WebSocket(
    server.url.replace('http', 'ws').replace('/graphql', '/other'),
    'graphql-transport-ws',
  )
  await expect(new Promise((resolve, reject) => elsewhere.once('open', resolve).once('error', reject))).rejects.toThrow(
    '404',
  )
  const old = new WebSocket(server.url.replace('http', 'ws'), 'graphql-ws')
  const refused = new Promise((resolve) => old.once('close', resolve).once('error', resolve))
  expect(await refused).toBeDefined()
})

test('a subscriber that does not read holds up its own stream, not the memory of the node', async () => {
  const socket = connect(server.port, '127.0.0.1')
  await new Promise((resolve) => socket.once('connect', resolve))
  const body = '{"query":"subscription { flood }"}'
  log.order.length = 0
  socket.write(
    `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: text/event-stream\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  const reader = await opened()
  const first = messages(reader, 1)
  reader.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: 'subscription { flood }' } }))
  await first
  reader.pause()
  let before = -1
  // Both streams come to a stop when the socket buffers of the operating system are full.
  await expect
    .poll(
      () => {
        const still = before === log.order.length
        before = log.order.length
        return still
      },
      { interval: 300, timeout: 20_000 },
    )
    .toBe(true)
  expect(log.order.length * 64 * 1024).toBeLessThan(64 << 20)
  reader.terminate()
  socket.destroy()
})
