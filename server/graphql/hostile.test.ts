import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHttpServer, type HttpServer } from '../http/index.ts'
import { silentLog } from '../log.ts'
import { type ZooLog, zooSchema } from './fixtures/zoo.ts'
import { DEFAULT_LIMITS } from './index.ts'

const log: ZooLog = { loads: [], order: [], aborted: 0 }
const limits = {
  ...DEFAULT_LIMITS,
  bodyBytes: 100_000,
  bodiesBytes: 250_000,
  headerBytes: 8_192,
  timeoutSeconds: 2,
  requests: 4,
}

const servers: HttpServer[] = []
beforeAll(async () => {
  for (const hotPath of [true, false])
    servers.push(await createHttpServer({ schema: zooSchema(log), log: silentLog, port: 0, limits, hotPath }))
})
afterAll(() => Promise.all(servers.map((server) => server.close(100))))

interface Reply {
  readonly status: number
  readonly type: string | null
  readonly body: { readonly data?: unknown; readonly errors?: readonly { extensions: { code: string } }[] }
}

/** What both ways answer; ids of log entries differ from request to request. */
async function same(ask: (url: string) => Promise<Response>): Promise<Reply> {
  const replies = await Promise.all(
    servers.map(async ({ url }) => {
      const response = await ask(url)
      const text = (await response.text()).replaceAll(/[\w-]+-[0-9a-z]+(?=[".])/g, 'some-id')
      return { status: response.status, type: response.headers.get('content-type'), body: JSON.parse(text) }
    }),
  )
  expect(replies[1]).toEqual(replies[0])
  return replies[0] as Reply
}

const post = (body: unknown) =>
  same((url) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  )
const codeOf = ({ body }: Reply) => body.errors?.[0]?.extensions.code

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

describe('a hostile request is refused alike by both ways, before anything runs', () => {
  const nest = (depth: number) => `{ animal(id: "a") ${'{ friends '.repeat(depth)} { id } ${'}'.repeat(depth)} }`
  const fragments = (count: number) =>
    Array.from(
      { length: count },
      (_, n) => `fragment F${n} on Animal { a: friends { ...F${n + 1} } b: friends { ...F${n + 1} } }`,
    ).join(' ')

  test.each<[what: string, query: string, code: string]>([
    ['deep', nest(40), 'QUERY_TOO_DEEP'],
    ['very deep', `${'{a'.repeat(900)}${'}'.repeat(900)}`, 'QUERY_TOO_LARGE'],
    ['wide', `{ ${'hello '.repeat(3000)} }`, 'QUERY_TOO_LARGE'],
    ['aliased', `{ ${Array.from({ length: 100 }, (_, n) => `a${n}: hello`).join(' ')} }`, 'TOO_MANY_ALIASES'],
    ['decorated', `{ ${'hello @include(if: true) '.repeat(80)} }`, 'TOO_MANY_DIRECTIVES'],
    ['costly', '{ animals(first: 100) { friends { friends { friends { id } } } } }', 'QUERY_TOO_COSTLY'],
    [
      'a bomb of fragments',
      `${fragments(16)} fragment F16 on Animal { id } { animal(id: "a") { ...F0 } }`,
      'QUERY_TOO_COSTLY',
    ],
    [
      'a circle of fragments',
      'fragment A on Animal { friends { ...B } } fragment B on Animal { friends { ...A } } { animal(id: "a") { ...A } }',
      'GRAPHQL_VALIDATION_FAILED',
    ],
    ['a fragment of itself', 'fragment A on Animal { ...A } { animal(id: "a") { ...A } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['long', `{ hello(name: "${'x'.repeat(70_000)}") }`, 'QUERY_TOO_LARGE'],
    ['a deep type', `query ($a: ${'['.repeat(450)}Int${']'.repeat(450)}) { hello }`, 'GRAPHQL_VALIDATION_FAILED'],
    [
      'endlessly introspecting',
      `{ __schema { types ${'{ fields { type '.repeat(6)} { name } ${'} }'.repeat(6)} } }`,
      'GRAPHQL_VALIDATION_FAILED',
    ],
    [
      'of many operations',
      Array.from({ length: 190 }, (_, n) => `query Q${n} { hello }`).join(' '),
      'OPERATION_RESOLUTION_FAILURE',
    ],
    [
      'the schema many times over',
      `{ ${Array.from({ length: 45 }, (_, n) => `s${n}: __schema { types { name fields { name type { name kind } } } }`).join(' ')} }`,
      'QUERY_TOO_COSTLY',
    ],
    ['one field side by side', `{ ${'hello '.repeat(21)} }`, 'TOO_MANY_REPEATS'],
    ['many fragments', `{ ${'...A '.repeat(101)} } fragment A on Query { hello }`, 'TOO_MANY_FRAGMENTS'],
    ['many errors', `{ ${Array.from({ length: 500 }, (_, n) => `no${n}`).join(' ')} }`, 'GRAPHQL_VALIDATION_FAILED'],
    ['nothing', '', 'GRAPHQL_PARSE_FAILED'],
    ['a null byte', '{ hello\u0000 }', 'GRAPHQL_PARSE_FAILED'],
  ])('%s', async (_what, query, code) => {
    log.loads.length = 0
    const reply = await post({ query })
    expect(codeOf(reply)).toBe(code)
    expect(reply.body.errors?.length).toBeLessThanOrEqual(11)
    expect(JSON.stringify(reply.body).length).toBeLessThan(20_000)
    expect(log.loads).toEqual([])
  })

  test.each<[what: string, body: string, status: number, code: string]>([
    ['batched', '[{"query":"{ hello }"},{"query":"{ hello }"}]', 400, 'BAD_REQUEST'],
    ['nested variables', `{"query":"{ hello }","variables":{"a":${nested(63)}}}`, 200, ''],
    ['deeply nested variables', `{"query":"{ hello }","variables":{"a":${nested(64)}}}`, 400, 'BAD_REQUEST'],
    ['very deeply nested ones', `{"query":"{ hello }","variables":{"a":${nested(40_000)}}}`, 400, 'BAD_REQUEST'],
    ['deeply nested extensions', `{"query":"{ hello }","extensions":{"a":${nested(64)}}}`, 400, 'BAD_REQUEST'],
    [
      'a huge variable',
      JSON.stringify({ query: 'query ($n: String) { hello(name: $n) }', variables: { n: 'x'.repeat(110_000) } }),
      413,
      'REQUEST_ENTITY_TOO_LARGE',
    ],
    ['a prototype', '{"query":"{ hello }","__proto__":{"a":1}}', 400, 'BAD_REQUEST'],
    [
      'variables that shadow prototypes',
      '{"query":"query ($n: String) { hello(name: $n) }","variables":{"__proto__":{"n":"x"},"constructor":1}}',
      200,
      '',
    ],
    ['extensions that are a number', '{"query":"{ hello }","extensions":3}', 400, 'BAD_REQUEST'],
    ['a byte order mark', '\uFEFF{"query":"{ hello }"}', 400, 'BAD_REQUEST'],
    ['half a text', '{"query":"{ hel', 400, 'BAD_REQUEST'],
  ])('%s', async (_what, body, status, code) => {
    const reply = await post(body)
    expect([reply.status, codeOf(reply) ?? '']).toEqual([status, code])
  })

  test('whatever it is: JSON of any shape gets one answer, and never the inside of the node', async () => {
    const field = fc.oneof(fc.constant('{ hello }'), fc.constant('{ broken }'), fc.jsonValue())
    const shape = fc.record(
      {
        query: field,
        variables: fc.jsonValue(),
        operationName: fc.jsonValue(),
        extensions: fc.jsonValue(),
        documentId: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(shape, fc.jsonValue()), async (body) => {
        const reply = await post(body)
        expect([200, 400]).toContain(reply.status)
        expect(JSON.stringify(reply.body)).not.toMatch(/secret|node_modules|\.ts:/)
      }),
      { numRuns: 150 },
    )
  })
})

describe('a client that wants to take the node’s time or memory', () => {
  const head = (length: number) =>
    `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`

  const open = (server: HttpServer, first: string): { socket: Socket; answer: Promise<string> } => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(first))
    const answer = new Promise<string>((resolve) => {
      const chunks: Buffer[] = []
      socket.on('data', (chunk) => chunks.push(chunk))
      socket.on('error', () => undefined)
      socket.on('close', () => resolve(String(Buffer.concat(chunks))))
    })
    return { socket, answer }
  }
  const isAlive = async () => expect(await post({ query: '{ hello }' })).toMatchObject({ status: 200 })

  test('by sending its body byte after byte is let go, with a code', async () => {
    for (const server of servers) {
      const { socket, answer } = open(server, head(1000))
      const drip = setInterval(() => socket.write(' '), 20)
      expect(await answer).toMatch(/^HTTP\/1.1 408 .*REQUEST_TIMEOUT/s)
      clearInterval(drip)
    }
    await isAlive()
  })

  test('by sending its headers byte after byte is let go', async () => {
    const [server] = servers as [HttpServer]
    const { socket, answer } = open(server, 'POST /graphql HTTP/1.1\r\nhost: x\r\n')
    const drip = setInterval(() => socket.write('a: b\r\n'), 20)
    expect(await answer).toMatch(/^HTTP\/1.1 408 /)
    clearInterval(drip)
    await isAlive()
  })

  test('by sending more headers than there is room for is told so', async () => {
    const [server] = servers as [HttpServer]
    const headers = Array.from({ length: 1000 }, (_, n) => `x-header-${n}: value\r\n`).join('')
    const { answer } = open(server, `POST /graphql HTTP/1.1\r\nhost: x\r\n${headers}\r\n`)
    expect(await answer).toMatch(/^HTTP\/1.1 431 .*HEADERS_TOO_LARGE/s)
    await isAlive()
  })

  test('by many bodies that never end: they have a bound together, and others are served again when they are gone', async () => {
    for (const server of servers) {
      const many = Array.from({ length: 4 }, () => open(server, `${head(99_000)}${' '.repeat(80_000)}`))
      const answers = await Promise.all(many.map(({ answer }) => answer))
      const refused = answers.filter((answer) => /^HTTP\/1.1 503 .*OVERLOADED/s.test(answer))
      expect(refused.length).toBe(1)
      expect(answers.filter((answer) => answer.startsWith('HTTP/1.1 408')).length).toBe(3)
    }
    await isAlive()
  })

  test('by leaving in the middle costs nothing', async () => {
    for (const server of servers) {
      for (let n = 0; n < 20; n++) {
        const { socket } = open(server, `${head(90_000)}${' '.repeat(60_000)}`)
        await sleep(2)
        socket.destroy()
      }
    }
    await expect.poll(async () => (await post({ query: '{ hello }' })).status).toBe(200)
  })

  test('by more slow requests than the node answers at a time is told to come back', async () => {
    const ask = (url: string) =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"query":"{ slow(ms: 300) }"}',
      }).then(async (response) => (await response.json()) as Reply['body'])
    for (const { url } of servers) {
      const answers = await Promise.all(Array.from({ length: 6 }, () => ask(url)))
      const codes = answers.map(({ errors }) => errors?.[0]?.extensions.code ?? 'ok').sort()
      expect(codes).toEqual(['OVERLOADED', 'OVERLOADED', 'ok', 'ok', 'ok', 'ok'])
    }
    await isAlive()
  })
})

describe('a request that asks what it costs', () => {
  const ask = async (body: object, headers: Record<string, string>, way: number) => {
    const response = await fetch(servers[way]?.url ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
    return (
      (await response.json()) as { extensions?: { usage?: { cost: number; statements: number; milliseconds: number } } }
    ).extensions?.usage
  }

  test.each([0, 1])('is told by way %i, and only then', async (way) => {
    const query = '{ animals(first: 2) { id friends { id } } }'
    const usage = { cost: expect.any(Number), statements: 0, milliseconds: expect.any(Number) }
    expect(await ask({ query }, {}, way)).toBeUndefined()
    expect(await ask({ query }, { 'x-deaios-usage': '0' }, way)).toBeUndefined()
    const told = await ask({ query }, { 'x-deaios-usage': '1' }, way)
    expect(told).toEqual(usage)
    expect(told?.cost).toBeGreaterThan(40)
    expect(await ask({ query, extensions: { usage: true } }, {}, way)).toEqual(usage)
    expect(await ask({ query: '{ broken }' }, { 'x-deaios-usage': '1' }, way)).toEqual(usage)
  })
})
