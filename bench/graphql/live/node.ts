/** The process that serves: Postgres, the stream of events and the GraphQL edge, as in a node. */
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { GraphQLSchema } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import { ANONYMOUS, buildSchema } from '../../../schema/index.ts'
import { openDatabase } from '../../../server/db/database.ts'
import { CORE_MIGRATIONS, CORE_SCHEMA, migrate } from '../../../server/db/migrate.ts'
import { createEvents, type EventsService } from '../../../server/events/index.ts'
import { coreSchema } from '../../../server/graphql/index.ts'
import { systemClock } from '../../../server/host/clock.ts'
import { createHttpServer } from '../../../server/http/index.ts'
import { silentLog } from '../../../server/log.ts'
import type { DatabaseOptions, Sql } from '../../../server/plugin.ts'
import { answerParent } from './child.ts'
import { Measured, measurements } from './measured.ts'
import type { Load, NodeAnswers, NodeRequest, Protocol } from './messages.ts'

/** Events of one transaction in `fill`. */
const FILL = 1000

interface Opened {
  readonly events: EventsService
  readonly sql: Sql
  readonly port: number
  readonly database: DatabaseOptions
  close(): Promise<void>
}

let opened: Opened | undefined
async function open(folder: string, protocol: Protocol): Promise<Opened> {
  const database = await openDatabase({ dataDir: folder, log: silentLog })
  const sql = database.sql(CORE_SCHEMA)
  await migrate(sql, CORE_SCHEMA, CORE_MIGRATIONS)
  const events = createEvents({ sql, log: silentLog, topics: [Measured] })
  await events.start()
  const part = coreSchema({ events: () => events, plugins: () => [], clock: systemClock })
  const schema = buildSchema([part])
  const server = protocol === 'deaios' ? await serveOurs(schema, events) : await serveReference(schema)
  const close = async (): Promise<void> => {
    await events.stop()
    await database.close()
  }
  return { events, sql, port: server, database: database.options(CORE_SCHEMA), close }
}

async function serveOurs(schema: GraphQLSchema, events: EventsService): Promise<number> {
  const { port } = await createHttpServer({ schema, events, log: silentLog, port: 0 })
  return port
}

/** The usual way: every subscriber has an execution of its own. */
async function serveReference(schema: GraphQLSchema): Promise<number> {
  const server = createServer()
  useServer(
    {
      schema,
      context: () => ({
        requestId: 'reference',
        principal: ANONYMOUS,
        signal: new AbortController().signal,
        requestExtensions: {},
        responseExtensions: {},
      }),
    },
    new WebSocketServer({ server, path: '/graphql' }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Measures how long `work` takes to make its events. */
async function measured(work: () => Promise<number>): Promise<Load> {
  const started = performance.now()
  const events = await work()
  return { events, ms: performance.now() - started }
}

async function publish({ events, sql }: Opened, perBatch: number, writers: number, seconds: number): Promise<Load> {
  const end = performance.now() + 1000 * seconds
  return measured(async () => {
    const made = await Promise.all(
      Array.from({ length: writers }, async () => {
        let count = 0
        for (; performance.now() < end; count += perBatch)
          await sql.begin((tx) => events.publishAll(tx, measurements(perBatch)))
        return count
      }),
    )
    return made.reduce((sum, count) => sum + count, 0)
  })
}

async function fill({ events, sql }: Opened, howMany: number): Promise<Load> {
  return measured(async () => {
    for (let made = 0; made < howMany; made += FILL)
      await events.publishAll(sql, measurements(Math.min(FILL, howMany - made)))
    return howMany
  })
}

async function memory(): Promise<NodeAnswers['memory']> {
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.()
    await sleep(250)
  }
  return { bytes: process.memoryUsage().rss }
}

answerParent<NodeRequest>(
  async (request) => {
    if (request.kind === 'open') {
      opened = await open(request.folder, request.protocol)
      return { port: opened.port, database: opened.database }
    }
    if (opened === undefined) throw new TypeError('the node was not opened')
    switch (request.kind) {
      case 'publish':
        return publish(opened, request.perBatch, request.writers, request.seconds)
      case 'fill':
        return fill(opened, request.events)
      case 'memory':
        return memory()
      case 'cpu': {
        const { user, system } = process.cpuUsage()
        return { ms: (user + system) / 1000 }
      }
    }
  },
  async () => opened?.close(),
)
