import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import { createClient } from 'graphql-ws'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { ANONYMOUS, apiError } from '../../../schema/index.ts'
import { silentLog } from '../../log.ts'
import type { Authenticate } from '../authenticate.ts'
import type { Engine } from '../engine.ts'
import { DEFAULT_LIMITS } from '../limits.ts'
import { Ticker, tickerEngine } from '../live/fixtures/ticker.ts'
import { serveWebSockets, type WebSockets } from '../web-socket.ts'

interface Told {
  readonly type: string
  readonly id?: string
  readonly payload?: unknown
}

let ticker: Ticker
let engine: Engine
let server: Server
let sockets: WebSockets
let url: string

/** How much those who ask as 'paced' may still ask. */
let left = 0

const authenticate: Authenticate = async ({ authorization }) => {
  if (authorization === 'paced' && left-- <= 0) throw apiError('RATE_LIMITED', 'too often')
  if (authorization === 'bad') throw apiError('UNAUTHENTICATED', 'who is this?')
  return { ...ANONYMOUS, access: authorization ?? 'anonymous' }
}

beforeEach(async () => {
  ticker = new Ticker()
  engine = tickerEngine(ticker)
  server = createServer()
  const limits = { ...DEFAULT_LIMITS, subscriptionsPerConnection: 50 }
  sockets = serveWebSockets(server, engine, limits, silentLog, authenticate, () => true)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  url = `ws://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/graphql`
})
afterEach(async () => {
  await sockets.close()
  await new Promise((resolve) => server.close(resolve))
})

/** A client that says exactly what it is told to, and notes everything. */
class Wire {
  readonly socket: WebSocket
  readonly told: Told[] = []
  readonly closed: Promise<{ code: number; reason: string }>

  private constructor(protocol: string) {
    this.socket = new WebSocket(url, protocol)
    this.socket.on('message', (data) => this.told.push(JSON.parse(String(data))))
    this.closed = new Promise((resolve) =>
      this.socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })),
    )
  }

  static async open(protocol = 'graphql-transport-ws'): Promise<Wire> {
    const wire = new Wire(protocol)
    await new Promise((resolve, reject) => wire.socket.once('open', resolve).once('error', reject))
    return wire
  }

  static async ready(authorization?: string): Promise<Wire> {
    const wire = await Wire.open()
    wire.say({ type: 'connection_init', ...(authorization === undefined ? {} : { payload: { authorization } }) })
    await wire.until(1)
    return wire
  }

  say(...messages: readonly object[]): void {
    for (const message of messages) this.socket.send(JSON.stringify(message))
  }

  async until(count: number): Promise<readonly Told[]> {
    await expect.poll(() => this.told.length, { timeout: 5_000, interval: 2 }).toBeGreaterThanOrEqual(count)
    return this.told
  }

  of(id: string): readonly Told[] {
    return this.told.filter((told) => told.id === id)
  }
}

const subscribe = (id: string, query = 'subscription { ticks { n } }', variables = {}) => ({
  id,
  type: 'subscribe',
  payload: { query, variables },
})
const next = (id: string, n: number, field = 'ticks') => ({ id, type: 'next', payload: { data: { [field]: { n } } } })

/** Waits until as many subscriptions are open. */
const isOpen = (count: number) => expect.poll(() => engine.live.size, { interval: 2 }).toBe(count)

describe('the graphql-transport-ws protocol', () => {
  test('greets, answers pings with their payload, and takes pongs', async () => {
    const wire = await Wire.open()
    wire.say({ type: 'ping' }, { type: 'ping', payload: { a: 1 } }, { type: 'pong' })
    await wire.until(2)
    wire.say({ type: 'connection_init' })
    expect(await wire.until(3)).toEqual([
      { type: 'pong' },
      { type: 'pong', payload: { a: 1 } },
      { type: 'connection_ack' },
    ])
    wire.socket.terminate()
  })

  test.each([
    ['before the greeting', [subscribe('1')], 4401, 'Unauthorized'],
    ['a second greeting', [{ type: 'connection_init' }, { type: 'connection_init' }], 4429, 'Too many'],
    ['a server’s message', [{ type: 'connection_init' }, { type: 'next', id: '1', payload: {} }], 4400, 'Invalid'],
    ['no id', [{ type: 'connection_init' }, { type: 'subscribe', id: '', payload: { query: '{a}' } }], 4400, 'Invalid'],
    ['no query', [{ type: 'connection_init' }, { type: 'subscribe', id: '1', payload: {} }], 4400, 'Invalid'],
    ['a long id', [{ type: 'connection_init' }, subscribe('x'.repeat(129))], 4400, 'Invalid'],
    ['bad credentials', [{ type: 'connection_init', payload: { authorization: 'bad' } }], 4403, 'Forbidden'],
    ['odd credentials', [{ type: 'connection_init', payload: { authorization: 7 } }], 4403, 'Forbidden'],
  ])('closes the connection for %s', async (_what, messages, code, reason) => {
    const wire = await Wire.open()
    wire.say(...messages)
    const closed = await wire.closed
    expect(closed.code).toBe(code)
    expect(closed.reason).toContain(reason)
  })

  test('an id is free again when its operation is over, and not before', async () => {
    const wire = await Wire.ready()
    wire.say(subscribe('1'), { id: '1', type: 'complete' }, subscribe('1'))
    await isOpen(1)
    ticker.tick()
    await wire.until(2)
    expect(wire.of('1')).toEqual([next('1', 0)])
    wire.say(subscribe('1'))
    expect((await wire.closed).code).toBe(4409)
    await isOpen(0)
  })

  test('an id as long as may be is not too long to be told as taken', async () => {
    const wire = await Wire.ready()
    wire.say(subscribe('é'.repeat(128)), subscribe('é'.repeat(128)))
    expect((await wire.closed).code).toBe(4409)
  })

  test('a large ping is answered without its payload', async () => {
    const wire = await Wire.ready()
    const deep = 100_000
    wire.socket.send(`{"type":"ping","payload":{"a":${'['.repeat(deep)}${']'.repeat(deep)}}}`)
    await wire.until(2)
    expect(wire.told[1]).toEqual({ type: 'pong' })
    wire.socket.terminate()
  })

  test('ids of any kind come back as they are', async () => {
    const wire = await Wire.ready()
    const ids = ['"', '\\', 'é\u2028', 'x'.repeat(128), '0']
    wire.say(...ids.map((id) => subscribe(id)))
    await isOpen(ids.length)
    ticker.tick()
    await wire.until(1 + ids.length)
    for (const id of ids) expect(wire.of(id)).toEqual([next(id, 0)])
    wire.socket.terminate()
  })

  test('queries are answered beside subscriptions; errors before a start end the operation only', async () => {
    const wire = await Wire.ready()
    wire.say(subscribe('1'), subscribe('2', '{ length }'), subscribe('3', '{ nothing }'))
    await wire.until(4)
    expect(wire.of('2')).toEqual([
      { id: '2', type: 'next', payload: { data: { length: 0 } } },
      { id: '2', type: 'complete' },
    ])
    expect(wire.of('3')).toMatchObject([{ type: 'error', payload: [{ extensions: { code: expect.any(String) } }] }])
    ticker.tick()
    await wire.until(5)
    expect(wire.of('1')).toEqual([next('1', 0)])
    wire.socket.terminate()
  })

  test('whoever asks too often is told so before anything is read; pings, errors and refusals count too', async () => {
    left = 4
    const wire = await Wire.ready('paced')
    const resolve = vi.spyOn(engine, 'resolve')
    wire.say(subscribe('1', '{ nothing }'), { type: 'ping' }, { type: 'ping' }, subscribe('2', '{ length }'))
    await wire.until(6)
    expect(resolve).toHaveBeenCalledTimes(2)
    wire.say({ type: 'ping' }, subscribe('3', '{ nothing }'), { id: '3', type: 'complete' }, subscribe('4'))
    await wire.until(8)
    const limited = (id: string) => [{ id, type: 'error', payload: [{ extensions: { code: 'RATE_LIMITED' } }] }]
    expect(wire.of('3')).toMatchObject(limited('3'))
    expect(wire.of('4')).toMatchObject(limited('4'))
    expect(wire.told.filter(({ type }) => type === 'pong').length).toBe(2)
    expect(resolve).toHaveBeenCalledTimes(2)
    wire.socket.terminate()
  })

  test('values that are nested too deeply are refused, and the connection goes on', async () => {
    const wire = await Wire.ready()
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    for (const name of ['variables', 'extensions'])
      wire.socket.send(
        `{"type":"subscribe","id":"${name}","payload":{"query":"subscription{ticks{n}}","${name}":{"a":${deep}}}}`,
      )
    await wire.until(3)
    for (const id of ['variables', 'extensions'])
      expect(wire.of(id)).toMatchObject([{ type: 'error', payload: [{ extensions: { code: 'BAD_REQUEST' } }] }])
    wire.say(subscribe('1', '{ length }'))
    await wire.until(5)
    wire.socket.terminate()
  })

  test('the client of graphql-ws understands all of it', async () => {
    const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 })
    const seen: unknown[] = []
    const query = 'subscription ($after: Cursor) { ticks(after: $after) { n text } }'
    const reading = (async () => {
      for await (const { data } of client.iterate({ query, variables: { after: null } })) {
        if (seen.push(data) === 300) break
      }
    })()
    await isOpen(1)
    ticker.tick(100, 'a')
    ticker.tick(100, 'ü€😀'.repeat(50))
    ticker.tick(100, 'large '.repeat(5000))
    await reading
    expect(seen).toEqual(
      Array.from({ length: 300 }, (_, n) => ({
        ticks: { n, text: n < 100 ? 'a' : n < 200 ? 'ü€😀'.repeat(50) : 'large '.repeat(5000) },
      })),
    )
    await isOpen(0)
    await client.dispose()
  })
})

describe('many subscribers', () => {
  test('of one document get every event once and in order, by one execution', async () => {
    const wires = await Promise.all(Array.from({ length: 60 }, () => Wire.ready()))
    for (const [n, wire] of wires.entries()) wire.say(subscribe(`id ${n}`), subscribe(`other ${n}`))
    await isOpen(120)
    for (let burst = 0; burst < 20; burst++) {
      ticker.tick(15)
      if (burst % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    for (const [n, wire] of wires.entries()) {
      await wire.until(1 + 600)
      const expected = Array.from({ length: 300 }, (_, tick) => tick)
      expect(wire.of(`id ${n}`)).toEqual(expected.map((tick) => next(`id ${n}`, tick)))
      expect(wire.of(`other ${n}`)).toEqual(expected.map((tick) => next(`other ${n}`, tick)))
      wire.socket.terminate()
    }
    expect(ticker).toMatchObject({ sources: 1, executed: 300 })
    await isOpen(0)
  })

  test('one who stops reading holds up nobody, and is told SLOW_CONSUMER with the cursor when it reads again', async () => {
    const query = 'subscription { ticks { n text } }'
    const slow = await Wire.ready()
    const fast = await Wire.ready()
    slow.say(subscribe('1', query))
    fast.say(subscribe('1', query))
    await isOpen(2)
    ticker.tick()
    await slow.until(2)
    slow.socket.pause()
    // More than sockets and the shared results hold.
    for (let burst = 1; burst <= 40; burst++) {
      ticker.tick(50, 'x'.repeat(16 << 10))
      await fast.until(2 + 50 * burst)
    }
    expect(engine.live.retainedBytes).toBeLessThan(6 << 20)
    expect(fast.of('1').length).toBe(2001)
    slow.socket.resume()
    await isOpen(1)
    await expect.poll(() => slow.told.at(-1)?.type).toBe('complete')
    const [end] = slow.told.slice(-2)
    const numbers = slow.of('1').flatMap(({ payload }) => /"n":(\d+)/.exec(JSON.stringify(payload))?.[1] ?? [])
    expect(numbers.map(Number)).toEqual(numbers.map((_, n) => n))
    expect(end).toMatchObject({
      type: 'next',
      payload: { errors: [{ extensions: { code: 'SLOW_CONSUMER', cursor: `t${numbers.length - 1}` } }] },
    })
    for (const wire of [slow, fast]) wire.socket.terminate()
  })

  test('a connection may stop in the middle of the handshake, of a frame, or of anything', async () => {
    const { port } = new URL(url)
    const parts = ['GET /graphql HTTP/1.1\r\n', 'garbage\r\n\r\n', '\u0081']
    for (const part of parts) {
      const socket = connect(Number(port), '127.0.0.1')
      await new Promise<void>((resolve) => socket.once('connect', resolve))
      socket.write(part)
      socket.on('error', () => undefined)
      socket.destroy()
    }
    const wire = await Wire.ready()
    wire.say(subscribe('1'))
    await isOpen(1)
    wire.socket.terminate()
    await isOpen(0)
  })
})

describe('an end from outside', () => {
  test('a revoked key’s streams are told so and its connections closed; others go on', async () => {
    const revoked = await Wire.ready('key:1')
    const other = await Wire.ready('key:2')
    for (const wire of [revoked, other]) wire.say(subscribe('1'))
    await isOpen(2)
    engine.endStreams('key:1')
    expect((await revoked.closed).code).toBe(4403)
    expect(revoked.of('1')).toMatchObject([
      { type: 'next', payload: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] } },
      { type: 'complete' },
    ])
    ticker.tick()
    await other.until(2)
    expect(other.of('1')).toEqual([next('1', 0)])
    other.socket.terminate()
  })

  test('a node that drains tells each subscriber where to resume, then closes with 1001', async () => {
    ticker.tick(3)
    const wire = await Wire.ready()
    wire.say(subscribe('1'), subscribe('2', 'subscription { odd { n } }'))
    await isOpen(2)
    await engine.drain()
    await sockets.close()
    expect((await wire.closed).code).toBe(1001)
    for (const id of ['1', '2'])
      expect(wire.of(id)).toMatchObject([
        { type: 'next', payload: { errors: [{ extensions: { code: 'DRAINING', cursor: 't2' } }] } },
        { type: 'complete' },
      ])
  })
})
