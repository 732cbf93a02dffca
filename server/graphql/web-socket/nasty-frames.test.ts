import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import fc from 'fast-check'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { ANONYMOUS } from '../../../schema/index.ts'
import { silentLog } from '../../log.ts'
import { DEFAULT_LIMITS } from '../limits.ts'
import { Ticker, tickerEngine } from '../live/fixtures/ticker.ts'
import { serveWebSockets, type WebSockets } from '../web-socket.ts'

let server: Server
let sockets: WebSockets
let port: number
/** What would have ended the process. */
const fatal: unknown[] = []
const note = (error: unknown): void => void fatal.push(error)

beforeAll(async () => {
  process.prependListener('uncaughtException', note)
  process.prependListener('unhandledRejection', note)
  server = createServer()
  sockets = serveWebSockets(
    server,
    tickerEngine(new Ticker()),
    DEFAULT_LIMITS,
    silentLog,
    () => ANONYMOUS,
    () => true,
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ;({ port } = server.address() as AddressInfo)
})
afterAll(async () => {
  process.off('uncaughtException', note)
  process.off('unhandledRejection', note)
  await sockets.close()
  await new Promise((resolve) => server.close(resolve))
})

const PROTOCOL = 'Sec-WebSocket-Protocol: graphql-transport-ws\r\n'

/** A stranger's connection, upgraded. */
async function upgraded(protocol: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(
    `GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${protocol}\r\n`,
  )
  await new Promise((resolve) => socket.once('data', resolve))
  socket.resume()
  return socket
}

/** Sends it all, and waits until the server has read it or has closed. */
async function throwAt(frames: readonly Buffer[], protocol = PROTOCOL): Promise<void> {
  const socket = await upgraded(protocol)
  const over = new Promise((resolve) => socket.once('close', resolve))
  for (const bytes of frames) socket.write(bytes)
  socket.end()
  setTimeout(() => socket.destroy(), 200).unref()
  await over
}

/** The server serves the next one. */
async function isAlive(): Promise<void> {
  const client = createClient({ url: `ws://127.0.0.1:${port}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 })
  for await (const result of client.iterate({ query: '{ length }' })) expect(result).toEqual({ data: { length: 0 } })
  await client.dispose()
  expect(fatal).toEqual([])
}

interface Shape {
  readonly first: number
  readonly masked: boolean
  readonly payload: Buffer
}

/** A frame as a client writes it, with a mask of zeros: or as none should. */
function frame({ first, masked, payload }: Shape): Buffer {
  const { length } = payload
  const mark = masked ? 0x80 : 0
  const header = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  header[0] = first
  header[1] = mark | (length < 126 ? length : length < 65_536 ? 126 : 127)
  if (header.length === 4) header.writeUInt16BE(length, 2)
  if (header.length === 10) header.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([header, Buffer.alloc(masked ? 4 : 0), payload])
}
const text = (message: string): Buffer => frame({ first: 0x81, masked: true, payload: Buffer.from(message) })

const nested = fc.constantFrom(50, 30_000).map((depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`)
const id = fc.constantFrom('1', '__proto__', 'é'.repeat(128), 'x'.repeat(5_000))
const query = fc.constantFrom(
  '{ length }',
  'subscription { ticks { n } }',
  'subscription ($after: Cursor) { ticks(after: $after) { n } }',
  `{${'a{'.repeat(500)}`,
  '',
)
const json = fc.oneof(fc.json(), nested)
const message = fc.oneof(
  fc.constant('{"type":"connection_init"}'),
  fc
    .tuple(fc.constantFrom('ping', 'pong', 'connection_init', 'connection_ack', 'next', 'nothing'), json)
    .map(([type, payload]) => `{"type":"${type}","payload":{"a":${payload}}}`),
  fc
    .tuple(id, query, json, json)
    .map(
      ([own, document, variables, extensions]) =>
        `{"type":"subscribe","id":"${own}","payload":{"query":${JSON.stringify(document)},"variables":{"after":${variables}},"extensions":{"a":${extensions}}}}`,
    ),
  id.map((own) => `{"type":"complete","id":"${own}"}`),
  fc
    .tuple(fc.constantFrom('subscribe', 'error', 'complete'), json, json)
    .map(([type, own, payload]) => `{"type":"${type}","id":${own},"payload":${payload}}`),
  json,
)

const anyFrame = fc
  .record({
    first: fc.integer({ min: 0, max: 255 }),
    masked: fc.boolean(),
    payload: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  })
  .map(frame)
const anyBytes = fc.uint8Array({ minLength: 1, maxLength: 100 }).map((bytes) => Buffer.from(bytes))

describe('whatever a stranger sends by WebSocket, the server lives on', () => {
  test('messages of the protocol, good and nasty', async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(message, { maxLength: 8 }), async (greets, messages) => {
        await throwAt([...(greets ? ['{"type":"connection_init"}'] : []), ...messages].map(text))
        expect(fatal).toEqual([])
      }),
      { numRuns: 100 },
    )
    await isAlive()
  })

  test.each([
    ['a client that speaks the protocol', PROTOCOL],
    ['a client that speaks none', ''],
  ])('frames of any kind, and what is no frame, of %s', async (_who, protocol) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(anyFrame, anyBytes), { minLength: 1, maxLength: 8 }), async (frames) => {
        await throwAt([text('{"type":"connection_init"}'), ...frames], protocol)
        expect(fatal).toEqual([])
      }),
      { numRuns: 100 },
    )
    await isAlive()
  })

  test.each([
    ['an opcode that is none, without a protocol', '', [Buffer.from([0x83, 0x80, 1, 2, 3, 4])]],
    ['a deep ping', PROTOCOL, [text(`{"type":"ping","payload":{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}}`)]],
    [
      'a long id, twice',
      PROTOCOL,
      [
        text('{"type":"connection_init"}'),
        ...[1, 2].map(() =>
          text(`{"type":"subscribe","id":"${'x'.repeat(128)}","payload":{"query":"subscription{ticks{n}}"}}`),
        ),
      ],
    ],
  ])('%s', async (_what, protocol, frames) => {
    await throwAt(frames, protocol)
    await isAlive()
  })
})

test('a refused upgrade is let go, even if the client keeps its half open', async () => {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.write('GET /nothing HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
  socket.resume()
  await new Promise((resolve) => socket.once('end', resolve))
  const count = () => new Promise<number>((resolve) => server.getConnections((_, open) => resolve(open)))
  await expect.poll(count).toBe(0)
  socket.destroy()
})
