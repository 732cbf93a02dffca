import { once } from 'node:events'
import { request as rawRequest } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ANONYMOUS, apiError, type Principal } from '../../schema/index.ts'
import { zooSchema } from '../graphql/fixtures/zoo.ts'
import { DEFAULT_LIMITS } from '../graphql/index.ts'
import type { Log, RouteRequest } from '../plugin.ts'
import { until } from '../testing/program.ts'
import { createHttpServer, type HttpServer } from './index.ts'
import type { MountedRoute } from './route-table.ts'

interface Entry {
  readonly level: string
  readonly message: string
  readonly [field: string]: unknown
}
let entries: Entry[] = []
const logOf = (fields: Record<string, unknown>): Log => {
  const line = (level: string) => (first: string | Record<string, unknown>, message?: string) =>
    void entries.push(
      typeof first === 'string'
        ? { level, message: first, ...fields }
        : { ...fields, ...first, level, message: message ?? '' },
    )
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: (more) => logOf({ ...fields, ...more }),
  }
}

type Handle = (request: RouteRequest) => Response | Promise<Response>
const route = (method: MountedRoute['method'], path: string, handle: Handle, more: Partial<MountedRoute> = {}) => ({
  plugin: 'weather',
  method,
  path,
  maxBodyBytes: 1000,
  scope: undefined,
  log: logOf({ plugin: 'weather' }),
  outOfService: () => undefined,
  handle,
  ...more,
})

let gone = false
let cancelled = false
let failed: string | undefined
const never = new Promise<Response>(() => undefined)
const routes: readonly MountedRoute[] = [
  route('GET', '/weather/:city.png', ({ params }) => new Response(`a picture of ${params.city}`)),
  route('GET', '/weather/now.png', () => new Response('now', { headers: { 'set-cookie': 'a=1' } })),
  route('POST', '/weather/:city', async ({ request, params, principal, requestId }) => {
    const { pathname, searchParams } = new URL(request.url)
    return Response.json({
      ...params,
      pathname,
      unit: searchParams.get('unit'),
      body: await request.text(),
      who: principal.id,
      requestId,
    })
  }),
  route('PUT', '/unread', () => new Response('not interested', { status: 202 })),
  route('GET', '/station', () => new Response('secret'), { scope: 'weather:read' }),
  route('GET', '/broken', () => {
    throw new Error('the password is 1234')
  }),
  route('GET', '/odd', (() => 'no response') as never),
  route('GET', '/refused', () => {
    throw apiError('REPORT_NOT_FOUND', 'There is no such report.', { city: 'Bern' })
  }),
  route('GET', '/hangs', ({ request }) => {
    request.signal.addEventListener('abort', () => {
      gone = true
    })
    return never
  }),
  route('GET', '/late', () => new Response('late'), { outOfService: () => failed }),
  route(
    'GET',
    '/half',
    () =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new Uint8Array(10)),
          pull: () => Promise.reject(new Error('lost the rest')),
        }),
      ),
  ),
  route('GET', '/slow-stream', ({ request }) => {
    let n = 0
    request.signal.addEventListener('abort', () => {
      gone = true
    })
    return new Response(
      new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 150))
          if (++n > 8) controller.close()
          else controller.enqueue(new TextEncoder().encode(`${n};`))
        },
        cancel() {
          cancelled = true
        },
      }),
    )
  }),
  route(
    'GET',
    '/silent-stream',
    () =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new Uint8Array(1)),
          pull: () => never.then(() => undefined),
          cancel() {
            cancelled = true
          },
        }),
      ),
  ),
]

const reader: Principal = { ...ANONYMOUS, kind: 'key', id: 'k1', can: (scope) => scope === 'weather:read' }
const stranger: Principal = { ...ANONYMOUS, kind: 'key', id: 'k2' }
let server: HttpServer
beforeEach(async () => {
  entries = []
  gone = false
  cancelled = false
  failed = undefined
  server = await serve(30)
})
const serve = (timeoutSeconds: number): Promise<HttpServer> =>
  createHttpServer({
    schema: zooSchema(),
    log: logOf({}),
    port: 0,
    limits: { ...DEFAULT_LIMITS, timeoutSeconds },
    origins: ['https://app.example'],
    routes,
    authenticate: ({ authorization }) => {
      if (authorization === 'Bearer bad') throw apiError('UNAUTHENTICATED', 'This key is not good.')
      return authorization === 'Bearer reader' ? reader : authorization === 'Bearer other' ? stranger : ANONYMOUS
    },
  })
afterEach(() => server.close(100))

const get = (path: string, init: RequestInit = {}) => fetch(new URL(path, server.url), init)
const outcome = async (answer: Response) => {
  const { errors } = (await answer.json()) as { errors: { message: string; extensions: Record<string, unknown> }[] }
  return [answer.status, errors[0]?.extensions.code, errors[0]?.message]
}
const refusal = async (answer: Response) => (await outcome(answer)).slice(0, 2)
const accessLines = () => entries.filter(({ message }) => message === 'answered')

describe("a plugin's route", () => {
  it('answers what its path matches, with what stands for the names', async () => {
    expect(await (await get('/weather/Bern.png')).text()).toBe('a picture of Bern')
    expect(await (await get('/weather/S%C3%A3o%20Paulo%2F.png')).text()).toBe('a picture of São Paulo/')
    expect(await (await get('/weather/100%25%.png')).text()).toContain('a picture of 100')
    const now = await get('/weather/now.png')
    expect([await now.text(), now.headers.get('set-cookie'), now.headers.get('x-content-type-options')]).toEqual([
      'now',
      'a=1',
      'nosniff',
    ])
    expect(await refusal(await get('/weather/a/b.png'))).toEqual([404, 'NOT_FOUND'])
  })

  it('gets body, query, principal and the name of the request', async () => {
    const answer = await get('/weather/Bern?unit=C', {
      method: 'POST',
      body: 'mild',
      headers: { authorization: 'Bearer reader', 'x-request-id': 'mine-1' },
    })
    expect(await answer.json()).toEqual({
      city: 'Bern',
      pathname: '/weather/Bern',
      unit: 'C',
      body: 'mild',
      who: 'k1',
      requestId: 'mine-1',
    })
    expect(answer.headers.get('x-request-id')).toBe('mine-1')
  })

  it('answers HEAD as GET without the body, and says which methods there are', async () => {
    const head = await get('/weather/now.png', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const wrong = await get('/unread', { method: 'GET' })
    expect(wrong.headers.get('allow')).toBe('PUT')
    expect(await outcome(wrong)).toEqual([405, 'METHOD_NOT_ALLOWED', 'Use PUT.'])
  })

  it('is protected from pages of other origins as GraphQL is', async () => {
    const from = (origin: string, method: string) => get('/unread', { method, headers: { origin } })
    expect(await refusal(await from('https://evil.example', 'PUT'))).toEqual([403, 'FORBIDDEN_ORIGIN'])
    expect((await from('https://app.example', 'PUT')).status).toBe(202)
    const preflight = await from('https://app.example', 'OPTIONS')
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([204, 'PUT'])
  })

  it('is for those who have its scope', async () => {
    const as = (key: string) => get('/station', { headers: key === '' ? {} : { authorization: `Bearer ${key}` } })
    expect(await refusal(await as(''))).toEqual([401, 'UNAUTHENTICATED'])
    expect(await refusal(await as('bad'))).toEqual([401, 'UNAUTHENTICATED'])
    expect(await outcome(await as('other'))).toMatchObject([403, 'FORBIDDEN', expect.stringContaining('weather:read')])
    expect(await (await as('reader')).text()).toBe('secret')
  })

  it('refuses a body that is too large, whether or not it says so', async () => {
    const post = (body: BodyInit, more: RequestInit = {}) => get('/weather/Bern', { method: 'POST', body, ...more })
    expect(await refusal(await post('x'.repeat(1001)))).toEqual([413, 'REQUEST_ENTITY_TOO_LARGE'])
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(600)) })
    expect(await refusal(await post(endless, { duplex: 'half' } as RequestInit))).toEqual([
      413,
      'REQUEST_ENTITY_TOO_LARGE',
    ])
    expect((await post('x'.repeat(1000))).status).toBe(200)
  })

  it('need not read the body', async () => {
    for (let n = 0; n < 3; n++)
      expect((await get('/unread', { method: 'PUT', body: 'x'.repeat(1000) })).status).toBe(202)
  })

  it('that throws is masked, and the log names plugin, route and request', async () => {
    const answer = await get('/broken')
    expect(await answer.clone().text()).not.toContain('1234')
    const requestId = answer.headers.get('x-request-id')
    expect(await outcome(answer)).toEqual([500, 'INTERNAL_SERVER_ERROR', expect.stringContaining(String(requestId))])
    expect(entries).toContainEqual(
      expect.objectContaining({
        level: 'error',
        plugin: 'weather',
        route: 'GET /broken',
        requestId,
        error: expect.objectContaining({ message: 'the password is 1234' }),
      }),
    )
  })

  it('that gives no Response is blamed for it', async () => {
    expect(await refusal(await get('/odd'))).toEqual([500, 'INTERNAL_SERVER_ERROR'])
    expect(entries.map(({ error }) => String(error))).toContain(
      'TypeError: its handler gave string instead of a Response',
    )
  })

  it('refuses by a coded error, with a status that goes with the code', async () => {
    expect(await outcome(await get('/refused'))).toEqual([404, 'REPORT_NOT_FOUND', 'There is no such report.'])
  })

  it('that hangs is given up in time, and told so by its signal', async () => {
    await server.close()
    server = await serve(0.4)
    expect(await refusal(await get('/hangs'))).toEqual([504, 'TIMEOUT'])
    expect(gone).toBe(true)
  })

  it('is told when its client has gone', async () => {
    for (const path of ['/slow-stream', '/silent-stream']) {
      cancelled = false
      const leaving = new AbortController()
      const asking = get(path, { signal: leaving.signal })
      await (await asking).body?.getReader().read()
      leaving.abort()
      await until(() => cancelled, 'the stream was cancelled')
    }
    expect(gone).toBe(true)
  })

  it('may take longer for the rest than until its answer begins', async () => {
    await server.close()
    server = await serve(0.4)
    expect(await (await get('/slow-stream')).text()).toBe('1;2;3;4;5;6;7;8;')
  })

  it('that fails half way does not look as if it were whole', async () => {
    await expect(get('/half').then((answer) => answer.text())).rejects.toThrow()
    expect(entries.map(({ error }) => String(error))).toContain('Error: lost the rest')
  })

  it('of a plugin that has failed says so', async () => {
    failed = 'Plugin "weather" is out of service.'
    expect(await outcome(await get('/late'))).toEqual([503, 'PLUGIN_FAILED', failed])
  })

  it('is let finish when the server closes', async () => {
    const answer = await get('/slow-stream')
    const closing = server.close(5_000)
    expect(await answer.text()).toBe('1;2;3;4;5;6;7;8;')
    await closing
  })
})

describe('each request', () => {
  it('is told about once, with route, outcome and duration, and nothing that it carried', async () => {
    const ask = (query: string) =>
      get('/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': 'r1' },
        body: JSON.stringify({ query }),
      })
    await (await ask('query Greeting { hello }')).text()
    await (await ask('query Wrong { coded }')).text()
    await (await ask('{ nothing }')).text()
    await (await get('/weather/Bern.png?key=hidden')).text()
    await (await get('/none')).text()
    await until(() => accessLines().length === 5, 'five lines')
    const line = { requestId: 'r1', method: 'POST', route: 'graphql', status: 200, level: 'debug' }
    expect(accessLines()).toMatchObject([
      { ...line, operation: 'Greeting', outcome: 'ok', ms: expect.any(Number) },
      { ...line, operation: 'Wrong', outcome: 'ODD' },
      { ...line, outcome: 'GRAPHQL_VALIDATION_FAILED' },
      { route: 'GET /weather/:city.png', plugin: 'weather', status: 200 },
      { route: 'none', status: 404, outcome: 'NOT_FOUND' },
    ])
    expect(JSON.stringify(accessLines())).not.toContain('hidden')
  })

  it('that fails is told about at info', async () => {
    await (await get('/broken')).text()
    await until(() => accessLines().length > 0, 'a line')
    expect(accessLines()).toMatchObject([{ level: 'info', route: 'GET /broken', plugin: 'weather', status: 500 }])
  })

  it('gets a name of its own unless the one that it brings is sane', async () => {
    const named = async (name: string) => {
      const sent = rawRequest(new URL('/graphql?query={hello}', server.url), {
        headers: { 'x-request-id': name, 'content-type': 'application/json' },
      })
      sent.end()
      const [answer] = await once(sent, 'response')
      answer.resume()
      return answer.headers['x-request-id']
    }
    expect(await named('abc-123_4:5/6+7=8@9~0')).toBe('abc-123_4:5/6+7=8@9~0')
    for (const name of ['two words', 'x'.repeat(129), '"quoted"', '<b>'])
      expect(await named(name)).toMatch(/^[a-z0-9]+-[a-z0-9]+$/)
  })
})
