import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { ANONYMOUS } from '../../../schema/index.ts'
import type { RawVariables } from '../cost.ts'
import type { Engine } from '../engine.ts'
import { RequestContext } from '../request-context.ts'
import { count, drained, numbers, settled, taken } from './fixtures/readers.ts'
import { Ticker, tickerEngine } from './fixtures/ticker.ts'
import { Reader } from './reader.ts'

const LIVE = 'subscription Live($after: Cursor, $note: String) { ticks(after: $after, note: $note) { n } }'

let ticker: Ticker
let engine: Engine
beforeEach(() => {
  ticker = new Ticker()
  engine = tickerEngine(ticker)
})

interface Asked {
  readonly query?: string
  readonly variables?: RawVariables
  readonly access?: string
  readonly extensions?: Readonly<Record<string, unknown>>
}

async function open({ query = LIVE, variables = {}, access = 'a', extensions = {} }: Asked = {}): Promise<Reader> {
  const operation = engine.resolve({ query, variables })
  if (!('node' in operation)) throw new TypeError(JSON.stringify(operation))
  const context = new RequestContext(extensions, { ...ANONYMOUS, access })
  const reader = await engine.live.open(operation, variables, context)
  if (reader instanceof Reader) return reader
  throw new TypeError(JSON.stringify(reader))
}

const openMany = (howMany: number, asked: Asked = {}) => Promise.all(Array.from({ length: howMany }, () => open(asked)))

describe('identical subscriptions', () => {
  test('share one source, one execution and one serialisation of each event', async () => {
    const readers = await openMany(100)
    ticker.tick(3)
    await settled()
    const first = readers.map((reader) => reader.take())
    expect(new Set(first).size).toBe(1)
    for (const reader of readers) expect(numbers(taken(reader))).toEqual([1, 2])
    expect(ticker).toMatchObject({ sources: 1, executed: 3 })
    expect(engine.live).toMatchObject({ size: 100, sources: 1 })
  })

  test('are those with the same document, variables, access and extensions; the order of variables does not matter', async () => {
    await open({ variables: { note: 'x', after: null } })
    await open({ variables: { note: 'x' } })
    await open({ variables: { after: null, note: 'x' } })
    expect(ticker.sources).toBe(1)
    await open({ variables: { note: 'y' } })
    await open({ variables: { note: 'x' }, access: 'b' })
    await open({ variables: { note: 'x' }, extensions: { usage: 1 } })
    await open({ query: `${LIVE} `, variables: { note: 'x' } })
    expect(ticker.sources).toBe(5)
  })

  test('without the argument `after` are shared only if they say so, and with it unless they say not', async () => {
    ticker.tick()
    const states = await openMany(2, { query: 'subscription { state { n } }' })
    await settled()
    for (const reader of states) expect(numbers(taken(reader))).toEqual([0])
    expect(ticker.sources).toBe(2)
    await openMany(2, { query: 'subscription { odd { n } }' })
    expect(ticker.sources).toBe(4)
    await openMany(2, { query: 'subscription { alarm { n } }' })
    expect(ticker.sources).toBe(5)
  })

  test('find each other through fragments, aliases and an explicit null', async () => {
    const query = 'subscription { ...Root } fragment Root on Subscription { mine: ticks(after: null) { n } }'
    await openMany(3, { query })
    expect(ticker.sources).toBe(1)
  })

  test('a cursor that is written into the document, or has a default, makes a subscription alone', async () => {
    ticker.tick(3)
    const literal = await openMany(2, { query: 'subscription { ticks(after: "t0") { n } }' })
    const byDefault = await openMany(2, {
      query: 'subscription ($after: Cursor = "t0") { ticks(after: $after) { n } }',
    })
    for (const reader of [...literal, ...byDefault]) expect(numbers(await drained(reader))).toEqual([1, 2])
    expect(engine.live.sources).toBe(4)
  })

  test('end their source with the last of them', async () => {
    const [one, other] = await openMany(2)
    one?.close()
    await settled()
    expect(ticker.reading).toBe(1)
    other?.close()
    await settled()
    expect(ticker.reading).toBe(0)
    expect(engine.live).toMatchObject({ size: 0, sources: 0, retainedBytes: 0 })
    const again = await open()
    ticker.tick()
    expect(numbers(await drained(again))).toEqual([0])
  })

  test('let the database work for the source, until the last has left', async () => {
    const readers = await openMany(2)
    ticker.tick(2)
    await settled()
    const [work, ...others] = ticker.works
    expect(others).toEqual([])
    expect(work?.aborted).toBe(false)
    for (const reader of readers) reader.close()
    expect(work?.aborted).toBe(true)
  })

  test('are refused together when the request is wrong', async () => {
    const operation = engine.resolve({ query: LIVE })
    if (!('node' in operation)) throw new TypeError('it is right')
    const results = await Promise.all(
      [1, 2].map(() => engine.live.open(operation, { note: { not: 'a string' } }, new RequestContext())),
    )
    for (const result of results) expect(result).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] })
    expect(engine.live).toMatchObject({ size: 0, sources: 0 })
  })

  test('a node serves a bounded number of them, shared or not', async () => {
    engine = tickerEngine(ticker, { subscriptions: 3 })
    await openMany(3)
    await expect(open()).rejects.toThrow('TOO_MANY_SUBSCRIPTIONS')
  })
})

describe('who resumes behind a cursor', () => {
  test('and is near enough joins the others at once', async () => {
    const live = await open()
    ticker.tick(10)
    await drained(live)
    const resumed = await open({ variables: { after: 't6' } })
    expect(numbers(await drained(resumed))).toEqual([7, 8, 9])
    expect(ticker.sources).toBe(1)
  })

  test('reads the past alone and then joins the others, without gap or repeat', async () => {
    ticker.tick(3000)
    const live = await open()
    const resumed = await open({ variables: { after: 't9' } })
    const seen = numbers(await drained(resumed))
    ticker.tick()
    seen.push(...numbers(await drained(resumed)))
    ticker.tick()
    seen.push(...numbers(await drained(resumed)))
    expect(seen).toEqual(count(10, 3002))
    expect(numbers(await drained(live))).toEqual([3000, 3001])
    expect(engine.live.sources).toBe(1)
    expect(ticker.reading).toBe(1)
  })

  test('after all were cut, all share again', async () => {
    ticker.tick(5)
    const readers = await openMany(50, { variables: { after: 't4' } })
    ticker.tick()
    for (const reader of readers) expect(numbers(await drained(reader))).toEqual([5])
    ticker.tick(2)
    for (const reader of readers) expect(numbers(await drained(reader))).toEqual([6, 7])
    expect(engine.live.sources).toBe(1)
    const executed = ticker.executed
    ticker.tick()
    await settled()
    expect(ticker.executed).toBe(executed + 1)
  })

  test('alone, needs no second source', async () => {
    ticker.tick(2)
    const reader = await open({ variables: { after: 't0' } })
    ticker.tick()
    expect(numbers(await drained(reader))).toEqual([1, 2])
    expect(ticker.sources).toBe(1)
    reader.close()
    await settled()
    expect(engine.live).toMatchObject({ size: 0, sources: 0 })
  })

  test('whatever readers do, each gets every event from its beginning on, once and in order', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('tick' as const), n: fc.integer({ min: 1, max: 40 }) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('join' as const), n: fc.constant(0) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('resume' as const), n: fc.nat(400) }) },
      { weight: 6, arbitrary: fc.record({ do: fc.constant('take' as const), n: fc.nat(60) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), n: fc.nat(20) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('turn' as const), n: fc.constant(0) }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        ticker = new Ticker()
        engine = tickerEngine(ticker)
        const readers: { reader: Reader; from: number; seen: number[] }[] = []
        for (const { do: what, n } of steps) {
          if (what === 'tick') ticker.tick(n)
          if (what === 'turn') await settled()
          if (what === 'join') {
            // What happened before is on its way to all who share; then it is known where a new one begins.
            await settled()
            readers.push({ reader: await open(), from: ticker.length, seen: [] })
          }
          if (what === 'resume' && ticker.length > 0) {
            const after = n % ticker.length
            const reader = await open({ variables: { after: `t${after}` } })
            readers.push({ reader, from: after + 1, seen: [] })
          }
          const one = readers[n % Math.max(1, readers.length)]
          if (what === 'take' && one !== undefined) one.seen.push(...numbers(taken(one.reader, n)))
          if (what === 'leave' && one !== undefined) {
            one.reader.close()
            readers.splice(readers.indexOf(one), 1)
          }
        }
        ticker.tick()
        for (const { reader, from, seen } of readers) {
          seen.push(...numbers(await drained(reader)))
          expect(seen).toEqual(count(from, ticker.length))
        }
        for (const { reader } of readers) reader.close()
        await settled()
        expect(ticker.reading).toBe(0)
        expect(engine.live).toMatchObject({ size: 0, sources: 0, retainedBytes: 0 })
      }),
      { numRuns: 150 },
    )
  })
})

describe('a slow reader', () => {
  test('does not slow the others, and is ended with the cursor to resume from', async () => {
    const slow = await open()
    const fast = await open()
    ticker.tick()
    await settled()
    expect(numbers(taken(slow))).toEqual([0])
    const seen = numbers(taken(fast))
    for (let burst = 0; burst < 60; burst++) {
      ticker.tick(100)
      seen.push(...numbers(await drained(fast)))
    }
    expect(seen).toEqual(count(0, 6001))
    const [end, ...more] = taken(slow)
    expect(end?.errors).toMatchObject([{ extensions: { code: 'SLOW_CONSUMER', cursor: 't0' } }])
    expect(more).toEqual([])
    expect(slow.isDone).toBe(true)
    const resumed = await open({ variables: { after: 't0' } })
    expect(numbers(await drained(resumed))).toEqual(count(1, 6001))
  })

  test('of large results costs a bounded amount of memory', async () => {
    const query = 'subscription ($after: Cursor) { ticks(after: $after) { n text } }'
    await open({ query })
    const fast = await open({ query })
    for (let burst = 0; burst < 20; burst++) {
      ticker.tick(1, 'x'.repeat(1 << 20))
      await drained(fast)
    }
    expect(engine.live.retainedBytes).toBeLessThan(6 << 20)
  })

  test('that is the only one makes its source wait instead', async () => {
    const slow = await open()
    ticker.tick(10_000)
    await settled()
    expect(ticker.executed).toBeLessThan(500)
    expect(numbers(await drained(slow))).toEqual(count(0, 10_000))
  })
})

describe('an end from outside', () => {
  test('of the node tells each reader where to resume, also those who have got nothing yet', async () => {
    ticker.tick(4)
    const [fast, slow] = await openMany(2)
    ticker.tick(2)
    const fresh = await open({ variables: { note: 'fresh' } })
    await settled()
    if (fast !== undefined) taken(fast)
    if (slow !== undefined) taken(slow, 1)
    const draining = engine.drain()
    await new Promise((resolve) => setTimeout(resolve, 100))
    const ends = [fast, slow, fresh].map((reader) => (reader === undefined ? [] : taken(reader)).at(-1)?.errors?.[0])
    expect(ends.map((end) => end?.extensions)).toEqual([
      { code: 'DRAINING', cursor: 't5' },
      { code: 'DRAINING', cursor: expect.stringMatching(/t[45]/) },
      { code: 'DRAINING', cursor: 't5' },
    ])
    await draining
    expect(engine.live).toMatchObject({ size: 0, sources: 0 })
    await expect(open()).rejects.toThrow('DRAINING')
  })

  test('of an access ends what was opened with it, and nothing else', async () => {
    const revoked = await openMany(2, { access: 'key:1' })
    const other = await open({ access: 'key:2' })
    const heard: string[] = []
    engine.onRevoked((access) => heard.push(access))
    engine.endStreams('key:1')
    for (const reader of revoked) {
      expect(taken(reader).at(-1)?.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }])
      expect(reader.isDone).toBe(true)
    }
    ticker.tick()
    expect(numbers(await drained(other))).toEqual([0])
    expect(heard).toEqual(['key:1'])
    expect(engine.live.sources).toBe(1)
  })
})

test('a client that resumes by itself is told its place at the beginning and with each result', async () => {
  ticker.tick(3)
  const reader = await open({ extensions: { resume: true } })
  expect(taken(reader)).toEqual([{ data: null, extensions: { cursor: 't2' } }])
  ticker.tick()
  expect(await drained(reader)).toEqual([{ data: { ticks: { n: 3 } }, extensions: { cursor: 't3' } }])
  const state = await open({ extensions: { resume: true }, query: 'subscription { state { n } }' })
  expect(await drained(state)).toEqual([{ data: { state: { n: 3 } } }])
  const resumed = await open({ extensions: { resume: true }, variables: { after: 't1' } })
  expect((await drained(resumed)).map(({ extensions }) => extensions?.cursor)).toEqual(['t1', 't2', 't3'])
})

test('events are executed the same way before and after their operation is compiled', async () => {
  const reader = await open({ query: 'subscription Halves { ticks { half same: half text __typename } }' })
  ticker.tick(200, 'x')
  const seen = (await drained(reader)).map((result) => JSON.stringify(result))
  for (const [n, text] of seen.slice(2).entries()) {
    const halves = (half: number) => `"half":${half},"same":${half}`
    expect(text.replace(halves((n + 2) / 2), halves(n / 2))).toBe(seen[n])
  }
  expect(seen[199]).toContain('"code":"ODD"')
})
