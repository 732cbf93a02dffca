import { request as rawRequest } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHttpServer, type HttpServer } from '../http/index.ts'
import { silentLog } from '../log.ts'
import { type ZooLog, zooSchema } from './fixtures/zoo.ts'
import { DEFAULT_LIMITS } from './index.ts'

const log: ZooLog = { loads: [], order: [], aborted: 0 }
const limits = { ...DEFAULT_LIMITS, timeoutSeconds: 0.4, bodyBytes: 200_000 }

describe.each([
  ['the short way', true],
  ['the general way', false],
])('a request that is answered %s', (_way, hotPath) => {
  let server: HttpServer
  beforeAll(async () => {
    server = await createHttpServer({
      schema: zooSchema(log),
      log: silentLog,
      port: 0,
      limits,
      hotPath,
      origins: ['https://app.example'],
    })
  })
  afterAll(() => server.close())

  const post = (body: string | object, headers: Record<string, string> = {}) =>
    fetch(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const ask = async (query: string, variables?: object) =>
    (await post({ query, variables })).json() as Promise<{
      data?: unknown
      errors?: { message: string; extensions: { code: string } }[]
    }>
  const codeOf = async (response: Response) =>
    ((await response.json()) as { errors: { extensions: { code: string } }[] }).errors[0]?.extensions.code

  test('has data and nothing else', async () => {
    const response = await post({ query: '{ hello }' })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(await response.text()).toBe('{"data":{"hello":"hello world"}}')
  })

  test('has the same answer each time it is asked', async () => {
    const query = 'query ($l: [Bytes!]!) { animals(first: 2) { id friends { id kind } } echo(list: $l) coded broken }'
    const answers: unknown[] = []
    for (let n = 0; n < 4; n++) {
      const { data, errors = [] } = await ask(query, { l: ['0x00ff', '0x'] })
      const codes = errors.map(({ extensions }) => extensions.code).sort()
      answers.push({ data, codes })
      expect(JSON.stringify(errors)).not.toContain('secret')
    }
    expect(answers).toEqual(answers.map(() => answers[0]))
    expect(answers[0]).toMatchObject({ codes: ['INTERNAL_SERVER_ERROR', 'NOT_HERE', 'ODD'] })
  })

  test('takes hundreds of transactions at once', async () => {
    const transactions = Array.from({ length: 200 }, (_, n) => `0x${'ab'.repeat(n + 1)}`)
    const query = 'mutation ($t: [Bytes!]!) { submit(transactions: $t) }'
    for (let n = 0; n < 3; n++)
      expect(await ask(query, { t: transactions })).toEqual({ data: { submit: transactions.map((_, at) => at + 1) } })
  })

  test.each([
    ['is not JSON', '{"query":', 400, 'BAD_REQUEST'],
    ['is null', 'null', 400, 'BAD_REQUEST'],
    ['is a list', '[{"query":"{ hello }"}]', 400, 'BAD_REQUEST'],
    ['has no query', '{}', 400, 'BAD_REQUEST'],
    ['has a query that is a number', '{"query":1}', 400, 'BAD_REQUEST'],
    ['has variables that are a list', '{"query":"{ hello }","variables":[]}', 400, 'BAD_REQUEST'],
    ['has an unknown key', '{"query":"{ hello }","evil":1}', 400, 'BAD_REQUEST'],
    ['is empty', '', 400, 'BAD_REQUEST'],
    [
      'has an operation name that is not there',
      '{"query":"query A { hello }","operationName":"B"}',
      400,
      'OPERATION_RESOLUTION_FAILURE',
    ],
    ['has a document that is not GraphQL', '{"query":"{ hello"}', 200, 'GRAPHQL_PARSE_FAILED'],
    ['asks for what does not exist', '{"query":"{ nothing }"}', 200, 'GRAPHQL_VALIDATION_FAILED'],
    ['lacks a variable', '{"query":"query ($b: Bytes!) { echo(bytes: $b) }"}', 200, 'BAD_USER_INPUT'],
    [
      'is deep',
      JSON.stringify({ query: `${'{ animal(id: "a") '.repeat(1)}${'{ friends '.repeat(40)}{ id }${'}'.repeat(41)}` }),
      200,
      'QUERY_TOO_DEEP',
    ],
  ])('has a code when its body %s', async (_what, body, status, code) => {
    const response = await post(body)
    expect([response.status, await codeOf(response)]).toEqual([status, code])
    expect(await ask('{ hello }')).toEqual({ data: { hello: 'hello world' } })
  })

  test('has a code when it is too large, announced or not', async () => {
    expect(await codeOf(await post({ query: '{ hello }', variables: { x: 'x'.repeat(300_000) } }))).toBe(
      'REQUEST_ENTITY_TOO_LARGE',
    )
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = rawRequest(
        server.url,
        { method: 'POST', headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' } },
        (response) => {
          response.resume()
          resolve(response.statusCode)
        },
      )
      request.on('error', reject)
      for (let n = 0; n < 30; n++) request.write(' '.repeat(10_000))
      request.end()
    })
    expect(status).toBe(413)
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/graphql',
  ])('is refused as %s, which any page could send', async (type) => {
    const response = await post('{"query":"{ hello }"}', { 'content-type': type })
    expect([response.status, await codeOf(response)]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
  })

  test('is refused when a page of another origin sends it, unless that origin is allowed', async () => {
    expect(await codeOf(await post({ query: '{ hello }' }, { origin: 'https://evil.example' }))).toBe(
      'FORBIDDEN_ORIGIN',
    )
    const allowed = await post({ query: '{ hello }' }, { origin: 'https://app.example' })
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example')
    const own = await post({ query: '{ hello }' }, { origin: new URL(server.url).origin })
    expect([own.status, own.headers.get('access-control-allow-origin')]).toEqual([200, null])
    const preflight = await fetch(server.url, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    })
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull()
  })

  test('is a query if it comes by GET', async () => {
    const get = (query: string) => fetch(`${server.url}?query=${encodeURIComponent(query)}`)
    expect(await (await get('{ hello }')).json()).toEqual({ data: { hello: 'hello world' } })
    log.order.length = 0
    expect((await get('mutation { step(name: "x", ms: 0) }')).status).toBe(405)
    expect(log.order).toEqual([])
    expect((await fetch(server.url, { method: 'DELETE' })).status).toBe(405)
  })

  test('is told when it takes too long, and its work is told too', async () => {
    log.aborted = 0
    const response = await post({ query: '{ slow(ms: 3000) }' })
    expect([response.status, await codeOf(response)]).toEqual([504, 'TIMEOUT'])
    expect(log.aborted).toBe(1)
  })

  test('has its work aborted when its client goes away', async () => {
    log.aborted = 0
    const abort = new AbortController()
    const response = fetch(server.url, {
      method: 'POST',
      signal: abort.signal,
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ slow(ms: 200) }"}',
    })
    setTimeout(() => abort.abort(), 50)
    await expect(response).rejects.toThrow()
    await expect.poll(() => log.aborted).toBe(1)
  })

  test('carries extensions both ways', async () => {
    const response = await post({ query: '{ meta }', extensions: { atLeastHeight: 9 } })
    expect(await response.json()).toEqual({ data: { meta: true }, extensions: { height: 10 } })
  })

  test('is told where to subscribe', async () => {
    const response = await post({ query: 'subscription { count(to: 1) }' }, { accept: 'application/json' })
    expect(response.status).toBe(406)
  })

  test('is dropped when it is not HTTP, and the next one is answered', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const chunks: Buffer[] = []
      const socket = connect(server.port, '127.0.0.1', () => socket.write('\x00\x01 nonsense\r\n\r\n'))
      socket.on('data', (chunk) => chunks.push(chunk)).on('error', reject)
      socket.on('close', () => resolve(String(Buffer.concat(chunks))))
    })
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n.*"code":"BAD_REQUEST"/s)
    expect(await ask('{ hello }')).toEqual({ data: { hello: 'hello world' } })
  })
})

describe('besides GraphQL', () => {
  let server: HttpServer
  let healthy = true
  beforeAll(async () => {
    server = await createHttpServer({
      schema: zooSchema(),
      log: silentLog,
      port: 0,
      ready: () => (healthy ? { ok: true } : { ok: false, message: 'tired' }),
    })
  })
  afterAll(() => server.close())

  test('whether the process lives is at /healthz, and whether it can serve at /readyz', async () => {
    const alive = new URL('/healthz', server.url)
    const ready = new URL('/readyz', server.url)
    for (const url of [alive, ready]) expect(await (await fetch(url)).json()).toEqual({ ok: true })
    healthy = false
    const response = await fetch(ready)
    expect([response.status, await response.json()]).toEqual([503, { ok: false, message: 'tired' }])
    expect((await fetch(alive)).status).toBe(200)
  })

  test('a browser gets GraphiQL, whole and from here only', async () => {
    const response = await fetch(server.url, { headers: { accept: 'text/html' } })
    const page = await response.text()
    expect(response.headers.get('content-encoding')).toBe('gzip')
    expect(Number(response.headers.get('content-length'))).toBeLessThan(4_000_000)
    expect(page).toContain('renderYogaGraphiQL')
    const outside = [...page.matchAll(/<(?:script|link|img|iframe)[^>]*(?:src|href)="(https?:)?\/\/[^"]*"/g)].map(
      ([tag]) => tag.slice(0, 200),
    )
    expect(outside).toEqual([])
    expect(response.headers.get('content-security-policy')).toContain("default-src 'self'")
    const plain = await fetch(server.url, { headers: { accept: 'text/html', 'accept-encoding': 'identity' } })
    expect(await plain.text()).toBe(page)
  })

  test('the root leads browsers there, and everything else is not found', async () => {
    const root = await fetch(new URL('/', server.url), { headers: { accept: 'text/html' }, redirect: 'manual' })
    expect(root.headers.get('location')).toBe('/graphql')
    expect((await fetch(new URL('/secret', server.url))).status).toBe(404)
  })
})

test('closing finishes what is running, then refuses connections', async () => {
  const server = await createHttpServer({ schema: zooSchema(), log: silentLog, port: 0 })
  const running = fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"query":"{ slow(ms: 150) }"}',
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
  await server.close()
  expect(await (await running).json()).toEqual({ data: { slow: 'done' } })
  await expect(fetch(server.url)).rejects.toThrow()
})

test('closing does not wait longer than it was told', async () => {
  const server = await createHttpServer({ schema: zooSchema(), log: silentLog, port: 0 })
  const running = fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"query":"{ slow(ms: 5000) }"}',
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
  await server.close(50)
  expect((await running).status).toBe(503)
})

test('a port that is taken is an error at once', async () => {
  const server = await createHttpServer({ schema: zooSchema(), log: silentLog, port: 0 })
  await expect(createHttpServer({ schema: zooSchema(), log: silentLog, port: server.port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
  await server.close()
})
