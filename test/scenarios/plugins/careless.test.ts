import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Program, runNode, until } from '../../../server/testing/program.ts'

const MAIN = new URL('../../../server/main.ts', import.meta.url).pathname
const CONFIG = new URL('../../fixtures/careless.config.ts', import.meta.url).pathname
const data = mkdtempSync(join(tmpdir(), 'deaios-careless-'))
const traces: string[] = []
const collector = createServer((request, response) => {
  text(request).then((body) => {
    traces.push(body)
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
})
let program: Program
beforeEach(async () => {
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  const address = collector.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  program = runNode([MAIN, 'start', '--port', '0', '--data', data, '--config', CONFIG], {
    env: { PATH: process.env.PATH, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` },
  })
})
afterEach(async () => {
  collector.close()
  if (program.child.exitCode === null) await program.end('SIGKILL')
  rmSync(data, { recursive: true, force: true })
})

interface Entry {
  readonly level: string
  readonly plugin?: string
  readonly msg: string
  readonly where?: string
  readonly requestId?: string
  readonly error?: { readonly message: string }
}
const entries = (): readonly Entry[] =>
  readFileSync(join(data, 'logs', 'deaios.log'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
const about = (text: string): Entry | undefined => entries().find(({ error }) => error?.message === text)

it('a plugin that leaves errors uncaught everywhere is named for each, and the node serves on and ends well', async () => {
  const url = (await program.line('ready ')).slice('ready '.length)
  const ask = async (query: string) =>
    await (
      await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': 'asked-1' },
        body: JSON.stringify({ query }),
      })
    ).json()
  expect(await ask('{ fine rejects rain }')).toEqual({ data: { fine: 'still here', rejects: 1, rain: 3 } })
  expect(await (await fetch(new URL('/careless', url))).text()).toBe('fine')

  for (const where of ['a timer', 'a promise', 'a job', 'a route'])
    await until(() => about(`from ${where}`) !== undefined, `${where} is told about`)
  for (const where of ['a timer', 'a promise', 'a job', 'a route'])
    expect(about(`from ${where}`)).toMatchObject({
      level: 'error',
      plugin: 'careless',
      msg: 'plugin "careless" left an error that nobody caught; the node goes on',
    })
  await until(() => about('from a resolver') !== undefined, 'the resolver is told about')
  expect(about('from a resolver')?.msg).toBe('a request left an error that nobody caught; the node goes on')
  expect(entries().find(({ msg }) => msg === 'about to be careless')).toMatchObject({
    plugin: 'careless',
    requestId: 'asked-1',
  })
  await until(() => JSON.stringify(entries()).includes('from a topic handler'), 'the topic handler is told about')
  expect(entries().find((entry) => JSON.stringify(entry).includes('from a topic handler'))).toMatchObject({
    plugin: 'careless',
  })

  expect(await ask('{ fine plugins { name status } }')).toEqual({
    data: {
      fine: 'still here',
      plugins: [
        { name: 'careless', status: 'RUNNING' },
        { name: 'bystander', status: 'RUNNING' },
      ],
    },
  })
  expect((await fetch(new URL('/readyz', url))).status).toBe(200)
  const metrics = await (await fetch(new URL('/metrics', url))).text()
  for (const line of [
    'deaios_uncaught_errors_total{plugin="careless"} 4',
    'deaios_plugin_state_count{plugin="careless",state="running"} 1',
    'deaios_database_up_ratio 1',
    'nodejs_eventloop_lag_p99_seconds ',
    'process_resident_memory_bytes ',
    'deaios_events_head_count ',
    'deaios_sql_running_count{plugin="careless"} 0',
  ])
    expect(metrics).toContain(`\n${line}`)

  const documented =
    readFileSync(new URL('../../../docs/operating.md', import.meta.url), 'utf8').match(/deaios_\w+/g) ?? []
  expect(documented.length).toBeGreaterThan(10)
  for (const name of documented) expect(metrics).toContain(`# HELP ${name} `)

  await program.end('SIGTERM')
  expect(program.child.exitCode).toBe(0)
  expect(entries().find(({ msg }) => msg.includes('left a timer running'))).toMatchObject({
    plugin: 'careless',
    where: expect.stringMatching(/careless\.config\.ts:\d+/),
  })
  for (const span of ['POST graphql', 'GET /careless']) expect(traces.join()).toContain(`"name":"${span}"`)
})
