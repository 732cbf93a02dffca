import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ExecutionResult, type GraphQLSchema, printSchema } from 'graphql'
import { CORE_SCHEMA } from '../db/migrate.ts'
import type { Bounds } from '../host/boot.ts'
import { admitPlugins } from '../host/check.ts'
import { type Node, startNode } from '../host/node.ts'
import { servedOf } from '../host/served.ts'
import { createHttpServer, type HttpServer } from '../http/index.ts'
import { silentLog } from '../log.ts'
import type { ConfiguredPlugin, ServicePairs } from '../plugin/define.ts'
import type { Clock, Log } from '../plugin/host.ts'
import type { Sql } from '../plugin/sql.ts'
import type { Topic } from '../plugin/tokens.ts'
import { TestKitError } from './errors.ts'
import { completed, type FakesOf, standIns } from './fakes.ts'
import { PATIENCE_MS } from './patience.ts'
import { isTestClock, type TestClock } from './test-clock.ts'
import { createTestDatabase } from './test-database.ts'
import { type TestRequestOptions, TestRequests, type Variables } from './test-requests.ts'
import type { TestSubscription } from './test-subscription.ts'

export interface TestHostOptions<F extends readonly unknown[] = readonly unknown[]> {
  /** Factories' results; their order does not matter. */
  readonly plugins: readonly ConfiguredPlugin[]
  /**
   * Services that are not the real ones: `[[Ledger, { cells: async () => [null] }]]`. The plugin that owns one need not
   * be loaded. A fake may leave out what is not used.
   */
  readonly fakes?: FakesOf<F>
  /** `testClock()` to move time by `advance`; the machine's if absent. */
  readonly clock?: Clock
  /** Silent if absent. */
  readonly log?: Log
  readonly bounds?: Bounds
}

/** A node without a network side, on a database and in a data folder of its own. */
export interface TestHost {
  /** The node as it runs now; another one after `restart`. */
  readonly node: Node
  readonly schema: GraphQLSchema
  /** The schema as text. */
  readonly sdl: string
  readonly dataDir: string
  /** Runs a query or mutation as a client would: with its limits, scopes and masked errors. */
  execute(document: string, variables?: Variables, options?: TestRequestOptions): Promise<ExecutionResult>
  /** Subscribes as a client would; what happens from then on is seen. */
  subscribe(document: string, variables?: Variables, options?: TestRequestOptions): Promise<TestSubscription>
  /** Publishes an event, and waits until it can be read. */
  publish<P>(topic: Topic<P>, payload: NoInfer<P>): Promise<void>
  /** The payloads of a topic's first events, as soon as there are so many. @throws TestKitError TOO_LATE */
  published<P>(topic: Topic<P>, count: number): Promise<readonly P[]>
  /** A pool on a plugin's schema. */
  sql(plugin: string): Sql
  /**
   * Runs a cron or queue job once, at once, whatever the time.
   * @param data what a queue job is told
   * @throws what the run throws, or JobError JOB_UNKNOWN
   */
  runJob(plugin: string, job: string, data?: unknown): Promise<void>
  /**
   * Moves the test's clock by milliseconds: cron jobs run when they come due, and what they have put in after them.
   * @throws TestKitError NO_TEST_CLOCK
   */
  advance(ms: number): Promise<void>
  /** Serves GraphQL at a free port of 127.0.0.1, for a test that wants a real client; the same one at each call. */
  serve(): Promise<HttpServer>
  /** Stops the node and starts it again on the same data. */
  restart(): Promise<void>
  /** Stops the node and removes its data. */
  stop(): Promise<void>
}

/** Starts the plugins in a fresh node. Throws what `deaios start` would report. */
export async function createTestHost<const F extends readonly unknown[] = readonly []>(
  options: TestHostOptions<F>,
): Promise<TestHost> {
  const { log = silentLog, clock, bounds } = options
  const fakes: ServicePairs = options.fakes ?? []
  const plugins = admitPlugins([...options.plugins, ...standIns(options.plugins, fakes)])
  const [database, dataDir] = await Promise.all([
    createTestDatabase({ migrated: true }),
    mkdtemp(join(tmpdir(), 'deaios-test-host-')),
  ])
  const remove = async (): Promise<void> => {
    await database.drop()
    await rm(dataDir, { recursive: true, force: true })
  }
  const start = async (): Promise<Running> => {
    const node = await startNode({
      plugins,
      fakes: completed(fakes),
      dataDir,
      log,
      openDatabase: () => database.open(),
      ...(clock === undefined ? {} : { clock }),
      ...(bounds === undefined ? {} : { bounds }),
    })
    return { node, requests: new TestRequests(node, log), server: undefined }
  }
  let running: Running
  try {
    running = await start()
  } catch (error) {
    await remove()
    throw error
  }
  return {
    get node() {
      return running.node
    },
    get schema() {
      return running.node.schema
    },
    get sdl() {
      return printSchema(running.node.schema)
    },
    dataDir,
    execute: (document, variables = {}, request = {}) => running.requests.execute(document, variables, request),
    subscribe: (document, variables = {}, request = {}) => running.requests.subscribe(document, variables, request),
    publish: (topic, payload) => publish(running.node, topic, payload),
    published: (topic, count) => published(running.node, topic, count),
    sql: (plugin) => running.node.database.sql(plugin),
    runJob: (plugin, name, data) => running.node.jobs.queues.runNow({ plugin, name }, data),
    async advance(ms) {
      if (!isTestClock(clock))
        throw new TestKitError('NO_TEST_CLOCK', 'time passes by itself here: createTestHost({ clock: testClock() })')
      await advance(running.node, clock, ms)
    },
    serve() {
      const { node } = running
      running.server ??= createHttpServer({ ...servedOf(node), log, port: 0 })
      return running.server
    },
    async restart() {
      await end(running)
      running = await start()
    },
    async stop() {
      await end(running)
      await remove()
    },
  }
}

interface Running {
  readonly node: Node
  readonly requests: TestRequests
  server: Promise<HttpServer> | undefined
}

/** As `deaios start` ends: first the streams, so that each says where to go on. */
async function end({ node, requests, server }: Running): Promise<void> {
  requests.drain()
  node.events.drain()
  await (await server)?.close()
  await node.stop()
}

async function advance({ jobs: { queues } }: Node, clock: TestClock, ms: number): Promise<void> {
  const end = clock.now() + ms
  for (let due = queues.nextDue(); due !== undefined && due <= end; due = queues.nextDue()) {
    await clock.advance(Math.max(0, due - clock.now()))
    await queues.settle()
  }
  await clock.advance(end - clock.now())
  await queues.settle()
}

async function publish<P>(node: Node, topic: Topic<P>, payload: P): Promise<void> {
  const live = node.events.subscribe(topic)[Symbol.asyncIterator]()
  await node.events.publish(node.database.sql(CORE_SCHEMA), topic, payload)
  await live.next()
  await live.return?.()
}

async function published<P>(node: Node, topic: Topic<P>, count: number): Promise<readonly P[]> {
  const payloads: P[] = []
  const signal = AbortSignal.timeout(PATIENCE_MS)
  for await (const { payload } of node.events.subscribe(topic, { after: node.events.beginning, signal }))
    if (payloads.push(payload) === count) return payloads
  const what = `${payloads.length} of ${count} events of ${topic.id} came within ${PATIENCE_MS / 1000} s`
  throw new TestKitError('TOO_LATE', what)
}
