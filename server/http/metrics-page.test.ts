import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { ANONYMOUS, apiError } from '../../schema/index.ts'
import { zooSchema } from '../graphql/fixtures/zoo.ts'
import { silentLog } from '../log.ts'
import { MetricsRegistry } from '../metrics/index.ts'
import { until } from '../testing/program.ts'
import { createHttpServer, type HttpServer, type MetricsAccess } from './index.ts'

const servers: HttpServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function serve(metricsAccess?: MetricsAccess): Promise<HttpServer> {
  const server = await createHttpServer({
    schema: zooSchema(),
    log: silentLog,
    port: 0,
    metrics: new MetricsRegistry(silentLog),
    ...(metricsAccess === undefined ? {} : { metricsAccess }),
    authenticate: ({ authorization }) => {
      if (authorization === undefined) return ANONYMOUS
      if (authorization === 'Bearer operator') return { ...ANONYMOUS, can: (scope) => scope === 'metrics:read' }
      if (authorization === 'Bearer other') return { ...ANONYMOUS, can: () => false }
      throw apiError('UNAUTHENTICATED', 'This key is not good.')
    },
  })
  servers.push(server)
  return server
}

const scrape = (server: HttpServer, headers: Record<string, string> = {}) =>
  fetch(new URL('/metrics', server.url), { headers })
const ask = async (server: HttpServer, query: string) =>
  await (
    await fetch(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    })
  ).text()

describe('/metrics', () => {
  it('tells how requests and operations ended, and how long they took', async () => {
    const server = await serve({ enabled: true, more: async () => '# more\n' })
    for (let n = 0; n < 3; n++) await ask(server, '{ hello }')
    await ask(server, '{ broken }')
    await ask(server, '{ nothing }')
    await ask(server, 'mutation { step(name: "a", ms: 0) }')
    await fetch(new URL('/nowhere', server.url))
    const counted = async () => await (await scrape(server)).text()
    await until(async () => (await counted()).includes('route="none",status="404"'), 'the last is counted')
    const page = await counted()
    for (const line of [
      '# TYPE deaios_http_request_duration_seconds histogram',
      'deaios_http_request_duration_seconds_count{plugin="core",route="graphql",status="200"} 6',
      'deaios_http_request_duration_seconds_count{plugin="core",route="none",status="404"} 1',
      'deaios_graphql_operations_total{type="query",outcome="ok"} 3',
      'deaios_graphql_operations_total{type="query",outcome="INTERNAL_SERVER_ERROR"} 1',
      'deaios_graphql_operations_total{type="mutation",outcome="ok"} 1',
    ])
      expect(page).toContain(`${line}\n`)
    expect(page).toMatch(/# more\n$/)
    expect((await scrape(server)).headers.get('content-type')).toContain('version=0.0.4')
  })

  it('is read with the token, or a key that has the scope', async () => {
    const server = await serve({ enabled: true, token: 'a token of sixteen' })
    const as = async (authorization?: string) =>
      (await scrape(server, authorization === undefined ? {} : { authorization })).status
    expect(await as('Bearer a token of sixteen')).toBe(200)
    expect(await as('Bearer operator')).toBe(200)
    for (const wrong of [undefined, 'Bearer a token of sixteeN', 'Bearer other', 'Bearer bad', 'Basic x'])
      expect(await as(wrong)).toBe(401)
  })

  it('is read without a token from this machine, and not through a proxy', async () => {
    const server = await serve()
    expect((await scrape(server)).status).toBe(200)
    const passedOn = await scrape(server, { 'x-forwarded-for': '203.0.113.9' })
    expect([passedOn.status, await passedOn.json()]).toMatchObject([
      401,
      { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
    ])
    expect(passedOn.headers.get('www-authenticate')).toBe('Bearer')
    expect((await scrape(server, { forwarded: 'for=203.0.113.9' })).status).toBe(401)
  })

  it('can be switched off, and is only read', async () => {
    expect((await scrape(await serve({ enabled: false }))).status).toBe(404)
    const server = await serve()
    expect((await fetch(new URL('/metrics', server.url), { method: 'POST' })).status).toBe(405)
  })

  it('counts a client that goes away as one, whatever it asks for next', async () => {
    const server = await serve()
    const sent = request(server.url, { method: 'POST', headers: { 'content-type': 'application/json' } })
    sent.on('error', () => undefined)
    sent.end(JSON.stringify({ query: '{ slow(ms: 300) }' }))
    setTimeout(() => sent.destroy(), 50)
    await until(
      async () => (await (await scrape(server)).text()).includes('route="graphql",status="0"} 1'),
      'it is counted',
    )
  })
})

it('nothing that a client chooses becomes a label', async () => {
  const server = await serve()
  for (let n = 0; n < 50; n++) {
    await fetch(new URL(`/made-up-${n}`, server.url))
    await ask(server, `query Name${n} { hello }`)
  }
  const sent = request(new URL('/metrics', server.url))
  sent.end()
  const [answer] = await new Promise<[NodeJS.ReadableStream]>((resolve) =>
    sent.once('response', (got) => resolve([got])),
  )
  const page = await text(answer)
  expect(page).not.toMatch(/made-up|Name\d/)
})
