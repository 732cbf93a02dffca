import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { trace } from '@opentelemetry/api'
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { zooSchema } from '../graphql/fixtures/zoo.ts'
import { instrumentedJob } from '../host/instrumented-job.ts'
import { PluginScope } from '../host/plugin-scope.ts'
import { createHttpServer, type HttpServer } from '../http/index.ts'
import { silentLog } from '../log.ts'
import { cron } from '../plugin.ts'
import { until } from '../testing/program.ts'
import { startTracing } from './otel-tracing.ts'
import { parseTraceparent } from './traceparent.ts'
import type { Tracing } from './tracing.ts'

let exporter: InMemorySpanExporter
let tracing: Tracing
let server: HttpServer
beforeEach(async () => {
  exporter = new InMemorySpanExporter()
  tracing = startTracing({ endpoint: 'http://unused' }, new SimpleSpanProcessor({ exporter }))
  server = await createHttpServer({
    schema: zooSchema(),
    log: silentLog,
    port: 0,
    tracing,
    routes: [
      {
        plugin: 'weather',
        method: 'GET',
        path: '/weather/:city',
        maxBodyBytes: 0,
        scope: undefined,
        log: silentLog,
        outOfService: () => undefined,
        handle: async () => {
          await Promise.resolve()
          trace.getTracer('weather').startSpan('look at the sky').end()
          return new Response('blue')
        },
      },
    ],
  })
})
afterEach(async () => {
  await server.close()
  await tracing.stop()
})

const ask = (query: string, headers: Record<string, string> = {}) =>
  fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  }).then((answer) => answer.text())
const spans = async (count: number): Promise<readonly ReadableSpan[]> => {
  await until(() => exporter.getFinishedSpans().length >= count, `${count} spans`)
  return exporter.getFinishedSpans()
}
const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'

describe('traces', () => {
  it('have a span for the request and, inside it, one for the operation', async () => {
    for (let n = 0; n < 3; n++) await ask('query Greeting { hello }', { 'x-request-id': 'r1' })
    const made = await spans(6)
    for (let n = 0; n < 6; n += 2) {
      const [operation, request] = [made[n], made[n + 1]]
      expect(operation).toMatchObject({
        name: 'query Greeting',
        attributes: { 'graphql.operation.type': 'query', 'deaios.request_id': 'r1', 'deaios.outcome': 'ok' },
        parentSpanContext: { spanId: request?.spanContext().spanId },
      })
      expect(request).toMatchObject({
        name: 'POST graphql',
        kind: 1,
        attributes: { 'http.response.status_code': 200, 'http.route': 'graphql', 'deaios.outcome': 'ok' },
      })
      expect(operation?.spanContext().traceId).toBe(request?.spanContext().traceId)
    }
  })

  it('go on with the trace that the client has begun', async () => {
    await ask('{ hello }', { traceparent: `00-${TRACE}-${PARENT}-01` })
    const request = (await spans(2))[1]
    expect(request?.spanContext().traceId).toBe(TRACE)
    expect(request?.parentSpanContext).toMatchObject({ spanId: PARENT, isRemote: true })
  })

  it('are left out where the client says that it keeps none', async () => {
    await ask('{ hello }', { traceparent: `00-${TRACE}-${PARENT}-00` })
    await ask('{ hello }')
    for (const span of await spans(2)) expect(span.spanContext().traceId).not.toBe(TRACE)
  })

  it('tell what went wrong', async () => {
    await ask('query Bad { broken }')
    const [operation] = await spans(2)
    expect(operation).toMatchObject({
      name: 'query Bad',
      status: { code: 2, message: 'INTERNAL_SERVER_ERROR' },
      attributes: { 'deaios.outcome': 'INTERNAL_SERVER_ERROR' },
    })
    expect(JSON.stringify(operation?.attributes)).not.toContain('secret')
  })

  it('hold what plugins trace themselves', async () => {
    await (await fetch(new URL('/weather/Bern', server.url))).text()
    const [own, request] = await spans(2)
    expect(own).toMatchObject({
      name: 'look at the sky',
      parentSpanContext: { spanId: request?.spanContext().spanId },
    })
    expect(request).toMatchObject({ name: 'GET /weather/:city', attributes: { 'deaios.plugin': 'weather' } })
  })

  it('have a span for each run of a job', async () => {
    const job = cron<string>({
      name: 'poll',
      schedule: '* * * * *',
      run: ({ attempt }) => {
        if (attempt === 1) throw new Error('no antenna')
      },
    })
    const traced = instrumentedJob(job, new PluginScope('weather'), tracing)
    const run = async (attempt: number) =>
      traced.kind === 'cron' &&
      (await traced.run({ attempt, fence: 0n, data: undefined, signal: new AbortController().signal }, 'host'))
    await expect(run(1)).rejects.toThrow('no antenna')
    await run(2)
    expect(await spans(2)).toMatchObject([
      { name: 'job weather/poll', attributes: { 'deaios.attempt': 1 }, status: { code: 2, message: 'no antenna' } },
      { name: 'job weather/poll', attributes: { 'deaios.attempt': 2 }, status: { code: 0 } },
    ])
  })

  it.each([
    undefined,
    '',
    'x',
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `ff-${TRACE}-${PARENT}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-01-more`,
  ])('take no notice of a header that is none: %s', (header) => {
    expect(parseTraceparent(header)).toBeUndefined()
  })
})

describe('the collector', () => {
  it('gets them by HTTP, with the headers and the name of the service', async () => {
    const got: { request: IncomingMessage; body: string }[] = []
    const collector = createServer((request, response) => {
      text(request).then((body) => {
        got.push({ request, body })
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      })
    })
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
    const address = collector.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await tracing.stop()
    const sending = startTracing({
      endpoint: `http://127.0.0.1:${port}/`,
      headers: { authorization: 'Bearer t' },
      serviceName: 'node-7',
    })
    await sending.run('one', {}, async () => undefined)
    await sending.stop()
    expect(got).toMatchObject([{ request: { url: '/v1/traces', headers: { authorization: 'Bearer t' } } }])
    expect(got[0]?.body).toContain('node-7')
    collector.close()
  })

  it('that is away holds nobody up', async () => {
    await tracing.stop()
    const sending = startTracing({ endpoint: 'http://127.0.0.1:1' })
    await sending.run('one', {}, async () => undefined)
    const stopped = await Promise.race([
      sending.stop().then(
        () => true,
        () => true,
      ),
      new Promise((resolve) => setTimeout(resolve, 20_000)),
    ])
    expect(stopped).toBe(true)
  })
})
