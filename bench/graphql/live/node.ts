/** The process that serves: Postgres, the stream of events and the GraphQL edge, as in a node. */
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { GraphQLSchema } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import { ANONYMOUS, buildSchema } from '../../../schema/index.ts'
import { openDatabase } from '../../../server/db/database.ts'
import { CORE_MIGRATIONS, CORE_SCHEMA, migrate } from '../../../server/db/migrate.ts'
import { createEvents, type EventsService } from '../../../server/events/index.ts'
import { coreSchema } from '../../../server/graphql/index.ts'
import { systemClock } from '../../../server/host/clock.ts'
import { createHttpServer } from '../../../server/http/index.ts'
import { silentLog } from '../../../server/log.ts'
import { type Sql, topic } from '../../../server/plugin.ts'
import { answerParent } from './child.ts'
import { type Load, type NodeAnswers, type NodeRequest, type Protocol, SELECTION, TOPIC } from './messages.ts'
import { RawSocket } from './raw-socket.ts'

const Measured = topic(TOPIC, z.object({ n: z.int(), at: z.int(), by: z.string(), reading: z.int() }))
/** Bytes that one event of the topic stands for are about 60; as a message it has about 200. */
const FILL = 1000

interface Opened {
  readonly events: EventsService
  readonly sql: Sql
  readonly port: number
  close(): Promise<void>
}

let opened: Opened | undefined
let published = 0
/** The last subscriber, so that all others have an event when it has it. */
let last: Follower | undefined

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
  return { events, sql, port: server, close }
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

function next(howMany: number) {
  const at = Math.round(1000 * (performance.timeOrigin + performance.now()))
  return Array.from({ length: howMany }, () => {
    const n = published++
    return [Measured, { n, at, by: 'station 7', reading: (n * 7919) % 100_000 }] as const
  })
}

/** A subscriber in this process, to know without asking anybody when all have an event. */
class Follower {
  #seen = 0
  #wanted: { readonly count: number; readonly resolve: () => void } | undefined

  static async open(port: number): Promise<Follower> {
    const follower = new Follower()
    const socket = await RawSocket.open(port)
    socket.onMessage = () => follower.#count()
    socket.send({ id: '1', type: 'subscribe', payload: { query: `subscription { ${SELECTION} }` } })
    await sleep(200)
    return follower
  }

  /** Resolves when so many more have come. */
  more(howMany: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wanted = { count: this.#seen + howMany, resolve }
    })
  }

  #count(): void {
    if (++this.#seen === this.#wanted?.count) this.#wanted.resolve()
  }
}

/** Measures what `work` costs until it has made its events. */
async function measured(work: () => Promise<number>): Promise<Load> {
  const started = performance.now()
  const before = process.cpuUsage()
  const events = await work()
  const { user, system } = process.cpuUsage(before)
  return { events, ms: performance.now() - started, cpuMs: (user + system) / 1000 }
}

async function deliver({ events, sql, port }: Opened, perBatch: number, seconds: number): Promise<Load> {
  last ??= await Follower.open(port)
  const follower = last
  return measured(async () => {
    let made = 0
    for (const end = performance.now() + 1000 * seconds; performance.now() < end; made += perBatch) {
      const arrived = follower.more(perBatch)
      await events.publishAll(sql, next(perBatch))
      await arrived
    }
    return made
  })
}

async function pace({ events, sql }: Opened, perBatch: number, perSecond: number, seconds: number): Promise<Load> {
  const batches = Math.max(1, Math.floor(perSecond * seconds))
  const started = performance.now()
  return measured(async () => {
    for (let batch = 0; batch < batches; batch++) {
      const wait = started + (1000 * batch) / perSecond - performance.now()
      if (wait > 0) await sleep(wait)
      await events.publishAll(sql, next(perBatch))
    }
    return batches * perBatch
  })
}

async function publish({ events, sql }: Opened, perBatch: number, writers: number, seconds: number): Promise<Load> {
  const end = performance.now() + 1000 * seconds
  return measured(async () => {
    const made = await Promise.all(
      Array.from({ length: writers }, async () => {
        let count = 0
        for (; performance.now() < end; count += perBatch)
          await sql.begin((tx) => events.publishAll(tx, next(perBatch)))
        return count
      }),
    )
    return made.reduce((sum, count) => sum + count, 0)
  })
}

async function fill({ events, sql }: Opened, howMany: number): Promise<Load> {
  return measured(async () => {
    for (let made = 0; made < howMany; made += FILL) await events.publishAll(sql, next(Math.min(FILL, howMany - made)))
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
      return { port: opened.port }
    }
    if (opened === undefined) throw new TypeError('the node was not opened')
    switch (request.kind) {
      case 'deliver':
        return deliver(opened, request.perBatch, request.seconds)
      case 'pace':
        return pace(opened, request.perBatch, request.perSecond, request.seconds)
      case 'publish':
        return publish(opened, request.perBatch, request.writers, request.seconds)
      case 'fill':
        return fill(opened, request.events)
      case 'memory':
        return memory()
    }
  },
  async () => opened?.close(),
)
