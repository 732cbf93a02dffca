import { createClient } from 'graphql-ws'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { buildSchema } from '../../../schema/index.ts'
import { connect } from '../../db/connect.ts'
import { CORE_MIGRATIONS, migrate } from '../../db/migrate.ts'
import { createEvents, type EventsService } from '../../events/index.ts'
import { systemClock } from '../../host/clock.ts'
import { createHttpServer, type HttpServer } from '../../http/index.ts'
import { silentLog } from '../../log.ts'
import { type Sql, topic } from '../../plugin.ts'
import { createTestDatabase, type TestDatabase } from '../../testing/test-database.ts'
import { coreSchema } from '../core-schema.ts'

const Counted = topic('test.counted', z.object({ n: z.int() }), { retention: { days: 1 } })
const LIVE = 'subscription ($after: Cursor) { events(topics: ["test.counted"], after: $after) { cursor payload } }'

/** A node as far as its events go. */
interface Live {
  readonly sql: Sql
  readonly events: EventsService
  readonly server: HttpServer
}

const Result = z.object({
  data: z.object({ events: z.object({ cursor: z.string(), payload: z.object({ n: z.int() }) }) }).nullish(),
  errors: z
    .array(
      z.object({
        extensions: z.object({ code: z.string(), cursor: z.string().optional(), first: z.string().optional() }),
      }),
    )
    .optional(),
})
type Result = z.output<typeof Result>

let database: TestDatabase
const nodes: Live[] = []
beforeAll(async () => {
  database = await createTestDatabase()
  const sql = connect({ ...database.options, searchPath: ['core'] }, { max: 1 })
  await migrate(sql, 'core', CORE_MIGRATIONS)
  await sql.end()
})
afterAll(() => database.drop())
afterEach(async () => {
  for (const node of nodes.splice(0)) await stop(node)
})

async function start(): Promise<Live> {
  const sql = connect({ ...database.options, searchPath: ['core'] }, { max: 4 })
  const events = createEvents({ sql, log: silentLog, topics: [Counted] })
  await events.start()
  const schema = buildSchema([coreSchema({ events: () => events, plugins: () => [], clock: systemClock })])
  const server = await createHttpServer({ schema, events, log: silentLog, port: 0 })
  const node = { sql, events, server }
  nodes.push(node)
  return node
}

async function stop({ sql, events, server }: Live): Promise<void> {
  await server.close()
  await events.stop()
  await sql.end({ timeout: 1 })
}

/** Publishes events and waits until they have their places; gives their cursors. */
async function publish({ events, sql }: Live, ...numbers: number[]): Promise<string[]> {
  const behind = events.position()
  await events.publishAll(
    sql,
    numbers.map((n) => [Counted, { n }]),
  )
  const placed = async () => (await events.page(Counted, numbers.length, behind)).events.map(({ cursor }) => cursor)
  await expect.poll(async () => (await placed()).length).toBe(numbers.length)
  return placed()
}

/** Reads until the stream ends or has given so many results. */
async function byWebSocket({ server }: Live, variables: object, most: number): Promise<Result[]> {
  const client = createClient({ url: server.url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 })
  const results: Result[] = []
  for await (const result of client.iterate({ query: LIVE, variables: { ...variables } })) {
    if (results.push(Result.parse(result)) === most) break
  }
  await client.dispose()
  return results
}

async function bySse({ server }: Live, variables: object, most: number): Promise<Result[]> {
  const left = new AbortController()
  const response = await fetch(server.url, {
    method: 'POST',
    signal: left.signal,
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query: LIVE, variables }),
  })
  const results: Result[] = []
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString()
    const messages = text.split('\n\n')
    text = messages.pop() ?? ''
    for (const message of messages) {
      if (message.startsWith('event: next'))
        results.push(Result.parse(JSON.parse(message.slice(message.indexOf('data: ') + 6))))
      if (message.startsWith('event: complete')) return results
    }
    if (results.length >= most) break
  }
  left.abort()
  return results
}

const numbersOf = (results: readonly Result[]) => results.flatMap(({ data }) => data?.events.payload.n ?? [])

describe.each([
  ['a WebSocket', byWebSocket],
  ['server-sent events', bySse],
])('events over %s', (_transport, read) => {
  test('come from where one wants, then live, and go on at another node of the same database when one drains', async () => {
    const node = await start()
    const [first] = await publish(node, 0, 1, 2)
    const reading = read(node, { after: first }, 100)
    await publish(node, 3)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const closing = stop(node)
    nodes.pop()
    const seen = await reading
    await closing
    const end = seen.at(-1)?.errors?.[0]?.extensions
    expect(end?.code).toBe('DRAINING')
    const other = await start()
    await publish(other, 4)
    const rest = await read(other, { after: end?.cursor }, 4 - numbersOf(seen).length)
    expect([...numbersOf(seen), ...numbersOf(rest)]).toEqual([1, 2, 3, 4])
  })

  test('that are no longer kept are not skipped: the end tells where the rest begins', async () => {
    const node = await start()
    const [first] = await publish(node, 10, 11)
    await publish(node, 12)
    await node.sql`UPDATE event_batch SET time = now() - interval '2 days'`
    await node.events.prune(new Date())
    await publish(node, 13)
    const seen = await read(node, { after: first }, 100)
    const end = seen[0]?.errors?.[0]?.extensions
    expect(end?.code).toBe('CURSOR_EXPIRED')
    expect(numbersOf(await read(node, { after: end?.first }, 1))).toEqual([13])
  })

  test('whose cursor is not one, or is of the future, are refused with a code', async () => {
    const node = await start()
    for (const after of ['nonsense', 'ezz_0']) {
      const [only] = await read(node, { after }, 100)
      expect(only?.errors?.[0]?.extensions.code).toBe('BAD_CURSOR')
    }
  })
})
