import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { ANONYMOUS, type Principal } from '../../../schema/index.ts'
import { silentLog } from '../../log.ts'
import { Engine } from '../engine.ts'
import { zooSchema } from '../fixtures/zoo.ts'
import { DEFAULT_LIMITS, type Limits } from '../limits.ts'
import { Ticker, tickerEngine } from '../live/fixtures/ticker.ts'
import { Share } from '../share.ts'
import { serveWebSockets, type WebSockets } from '../web-socket.ts'

const KEYED: Principal = { ...ANONYMOUS, kind: 'key', access: 'key:1' }

let server: Server
let sockets: WebSockets
let bytes: Share

async function serve(engine: Engine, changes: Partial<Limits> = {}): Promise<void> {
  const limits = { ...DEFAULT_LIMITS, messageBytes: 400_000, ...changes }
  bytes = new Share(limits.bodiesBytes)
  server = createServer()
  sockets = serveWebSockets(
    server,
    engine,
    limits,
    silentLog,
    ({ authorization }) => (authorization === undefined ? ANONYMOUS : KEYED),
    () => true,
    // Tests name themselves, as no test has two addresses.
    { bytes, holdersOf: ({ forwarded }) => (forwarded === undefined ? [] : [forwarded]) },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
}
afterEach(async () => {
  await sockets.close()
  await new Promise((resolve) => server.close(resolve))
})

/** Connects, and waits until it is let in. */
async function connect(headers: Record<string, string> = {}, greets = true): Promise<WebSocket> {
  const { port } = server.address() as AddressInfo
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws', { headers })
  await once(socket, 'open')
  socket.on('error', () => undefined)
  if (greets) {
    socket.send('{"type":"connection_init"}')
    await once(socket, 'message')
  }
  return socket
}

/** Sends the beginning of a message. */
const begin = (socket: WebSocket, size: number): void => socket.send('x'.repeat(size), { fin: false })
const closed = async (socket: WebSocket): Promise<unknown> => (await once(socket, 'close'))[0]
const taken = () => expect.poll(() => bytes.taken, { interval: 5, timeout: 5_000 })

describe('what a socket keeps of messages that are not whole', () => {
  test('is little for those who have not been let in, more for strangers, most for those with a key', async () => {
    await serve(tickerEngine(new Ticker()))
    const early = await connect({}, false)
    begin(early, 200_000)
    expect(await closed(early)).toBe(1009)
    const stranger = await connect()
    begin(stranger, 300_000)
    await taken().toBeGreaterThan(200_000)
    begin(stranger, 300_000)
    expect(await closed(stranger)).toBe(1009)
    await taken().toBe(0)
    const keyed = await connect({ authorization: 'key' })
    begin(keyed, 2_000_000)
    await taken().toBeGreaterThan(1_900_000)
    keyed.send('', { fin: true })
    expect(await closed(keyed)).toBe(4400)
    await taken().toBe(0)
  })

  test('is bounded for an address, and for all together', async () => {
    await serve(tickerEngine(new Ticker()), { bodiesBytes: 1_600_000 })
    const greedy = await connect({ 'x-forwarded-for': 'a', authorization: 'key' })
    begin(greedy, 150_000)
    await taken().toBeGreaterThan(100_000)
    const again = await connect({ 'x-forwarded-for': 'a', authorization: 'key' })
    begin(again, 150_000)
    expect(await closed(again)).toBe(4500)
    const others = await Promise.all(Array.from({ length: 5 }, () => connect({ authorization: 'key' })))
    for (const other of others) begin(other, 400_000)
    await expect.poll(() => sockets.open).toBeLessThan(6)
    expect(bytes.taken).toBeLessThanOrEqual(1_600_000)
    for (const socket of [greedy, ...others]) socket.terminate()
    await taken().toBe(0)
  })

  test('is nothing for a socket that is only kept alive', async () => {
    await serve(tickerEngine(new Ticker()))
    const socket = await connect()
    for (let n = 0; n < 20; n++) {
      socket.ping('x'.repeat(n))
      socket.pong()
    }
    const last = once(socket, 'message')
    socket.send('{"type":"ping"}')
    await last
    socket.pong()
    await taken().toBe(0)
    expect(socket.readyState).toBe(socket.OPEN)
    socket.terminate()
  })
})

test('answers that a client asks for and does not read are bounded, before the first of them is read', async () => {
  const schema = zooSchema({ loads: [], order: [], aborted: 0 })
  await serve(new Engine({ schema, limits: DEFAULT_LIMITS, log: silentLog }), { bodiesBytes: 8 << 20 })
  const socket = await connect()
  socket.pause()
  const payload = { query: 'query ($n: String) { hello(name: $n) }', variables: { n: 'x'.repeat(300_000) } }
  for (let n = 0; n < 60; n++) socket.send(JSON.stringify({ id: `${n}`, type: 'subscribe', payload }))
  await expect.poll(() => sockets.open).toBe(0)
  expect(bytes.taken).toBe(0)
  socket.terminate()
})

test('a subscription keeps the variables that it declares, and few of them', async () => {
  const engine = tickerEngine(new Ticker())
  await serve(engine)
  const open = vi.spyOn(engine.live, 'open')
  const socket = await connect()
  const query = 'subscription ($after: Cursor) { ticks(after: $after) { n } }'
  const say = (id: string, variables: object) =>
    socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query, variables } }))
  say('1', { after: 't0', junk: 'x'.repeat(200_000) })
  await expect.poll(() => engine.live.size).toBe(1)
  expect(open.mock.lastCall?.[1]).toEqual({ after: 't0' })
  const answer = once(socket, 'message')
  say('2', { after: 'x'.repeat(70_000) })
  expect(String((await answer)[0])).toContain('VARIABLES_TOO_LARGE')
  expect(engine.live.size).toBe(1)
  socket.terminate()
})

test('an address gets an eighth of the connections; others still connect, and it again when it leaves one', async () => {
  await serve(tickerEngine(new Ticker()), { connections: 16 })
  const [first, second] = [await connect({ 'x-forwarded-for': 'a' }), await connect({ 'x-forwarded-for': 'a' })]
  await expect(connect({ 'x-forwarded-for': 'a' })).rejects.toThrow('503')
  const other = await connect({ 'x-forwarded-for': 'b' })
  first.terminate()
  await expect.poll(() => sockets.open).toBe(2)
  const third = await connect({ 'x-forwarded-for': 'a' })
  for (const socket of [second, other, third]) socket.terminate()
})
