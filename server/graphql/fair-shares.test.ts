import { connect, type Socket } from 'node:net'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { ANONYMOUS } from '../../schema/index.ts'
import { createHttpServer, type HttpServer } from '../http/index.ts'
import { silentLog } from '../log.ts'
import { zooSchema } from './fixtures/zoo.ts'
import { DEFAULT_LIMITS } from './index.ts'

let server: HttpServer
beforeAll(async () => {
  server = await createHttpServer({
    schema: zooSchema({ loads: [], order: [], aborted: 0 }),
    log: silentLog,
    port: 0,
    limits: { ...DEFAULT_LIMITS, bodyBytes: 400_000, bodiesBytes: 4_000_000, subscriptions: 16 },
    authenticate: ({ authorization }) =>
      authorization === undefined ? ANONYMOUS : { ...ANONYMOUS, kind: 'key', access: authorization },
    // Tests name themselves, as no test has two addresses.
    clientOf: ({ forwarded }) => forwarded,
  })
})
afterAll(() => server.close(100))

/** Sends a body but for its last byte; tells the status that comes, if one does. */
function stall(client: string, bytes: number) {
  const socket: Socket = connect(server.port, '127.0.0.1')
  let answer = ''
  socket
    .on('error', () => undefined)
    .on('data', (data) => {
      answer += String(data)
    })
  socket.write(
    `POST /graphql HTTP/1.1\r\nhost: x\r\nx-forwarded-for: ${client}\r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n${' '.repeat(bytes - 1)}`,
  )
  return { status: () => /^HTTP\/1.1 (\d+)/.exec(answer)?.[1], socket }
}

test('one address that leaves bodies unfinished takes an eighth of the room; others go on sending', async () => {
  const greedy = Array.from({ length: 12 }, () => stall('a', 390_000))
  const refused = () => greedy.filter(({ status }) => status() === '503').length
  // 500,000 bytes are its part: one such body.
  await expect.poll(refused).toBe(11)
  const body = JSON.stringify({ query: '{ hello }', variables: { n: 'x'.repeat(300_000) } })
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': 'b' }
  const response = await fetch(server.url, { method: 'POST', headers, body })
  expect(await response.json()).toEqual({ data: { hello: 'hello world' } })
  for (const { socket } of greedy) socket.destroy()
  // What it left is there again.
  const again = () => fetch(server.url, { method: 'POST', headers: { ...headers, 'x-forwarded-for': 'a' }, body })
  await expect.poll(async () => (await again()).status).toBe(200)
})

/** Opens a subscription; gives its first result, or the code that it was refused with. */
async function open(client: string, key?: string): Promise<{ first: string; close(): void }> {
  const headers = { 'x-forwarded-for': client, ...(key === undefined ? {} : { authorization: key }) }
  class From extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol, { headers })
    }
  }
  const connection = createClient({ url: server.url.replace('http', 'ws'), webSocketImpl: From, retryAttempts: 0 })
  const results = connection.iterate({ query: 'subscription { forever }' })
  const { value } = await results.next()
  const [, code] = /"code":"(\w+)"/.exec(JSON.stringify(value)) ?? []
  return { first: code ?? 'ok', close: () => void connection.dispose() }
}

test('one address, or one key from many, has an eighth of the subscriptions, by whatever transport', async () => {
  const opened = [await open('a'), await open('a'), await open('a')]
  opened.push(await open('b', 'key'), await open('c', 'key'), await open('d', 'key'), await open('d'))
  expect(opened.map(({ first }) => first)).toEqual([
    'ok',
    'ok',
    'TOO_MANY_SUBSCRIPTIONS',
    'ok',
    'ok',
    'TOO_MANY_SUBSCRIPTIONS',
    'ok',
  ])
  const bySse = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', 'x-forwarded-for': 'a' },
    body: JSON.stringify({ query: 'subscription { forever }' }),
  })
  expect(await bySse.text()).toContain('TOO_MANY_SUBSCRIPTIONS')
  for (const { close } of opened) close()
  await expect
    .poll(async () => {
      const { first, close } = await open('a')
      close()
      return first
    })
    .toBe('ok')
})
