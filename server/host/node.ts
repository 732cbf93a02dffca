import { join } from 'node:path'
import { GraphQLError, type GraphQLSchema } from 'graphql'
import { putOutOfService } from '../../schema/index.ts'
import { Identity, type IdentityConfig, type MasterKeySource, masterKeyFile } from '../auth/index.ts'
import type { Database } from '../db/database.ts'
import { CORE_SCHEMA } from '../db/migrate.ts'
import { createEvents, type EventsService } from '../events/index.ts'
import type { BeforeRequest } from '../graphql/index.ts'
import { DEFAULT_LIMITS, type Limits } from '../graphql/limits.ts'
import type { MountedRoute } from '../http/route-table.ts'
import { NodeJobs } from '../jobs/index.ts'
import { MetricsRegistry } from '../metrics/index.ts'
import { Cluster } from '../peers/cluster.ts'
import type { PeersOptions } from '../peers/listener.ts'
import { nodeId } from '../peers/node-id.ts'
import type { ServicePairs } from '../plugin/define.ts'
import type { Clock, Health, Log } from '../plugin/host.ts'
import type { Tracing } from '../tracing/index.ts'
import { type Bounds, migrateAll, provideAll, startAll, stopAll } from './boot.ts'
import { BOUNDS } from './bounded.ts'
import type { CheckedPlugin } from './check.ts'
import { systemClock } from './clock.ts'
import { readinessOf } from './health.ts'
import { mountRoutes } from './mounted-routes.ts'
import { measureNode } from './node-metrics.ts'
import { type Shared, tooEarly, UNNAMED_NETWORK } from './plugin-host.ts'
import { watchTimers } from './plugin-scope.ts'
import { buildServedSchema } from './schema.ts'
import { ServiceRegistry } from './services.ts'
import { makeSlots, type PluginStatus, type Slot } from './slot.ts'

export interface NodeOptions {
  /** Checked and in order. */
  readonly plugins: readonly CheckedPlugin[]
  readonly dataDir: string
  readonly log: Log
  /** Opens the database; it is closed with the node. */
  readonly openDatabase: () => Promise<Database>
  /** The machine's if absent. */
  readonly clock?: Clock
  /** Services that are not the real ones, for tests. */
  readonly fakes?: ServicePairs
  /** Where traces go; nowhere if absent. */
  readonly tracing?: Tracing | undefined
  /** How long each step of a plugin may take. */
  readonly bounds?: Bounds
  /** What clients may ask for; the defaults if absent. */
  readonly limits?: Limits
  /** Where other nodes of the same database reach this one. */
  readonly peers?: PeersOptions | undefined
  readonly identity?: IdentityConfig
  /** What the server listens at; 127.0.0.1 if absent. */
  readonly hostname?: string
  /** What custodial accounts' secrets are sealed under; `<dataDir>/keystore.key` if absent. */
  readonly masterKeys?: MasterKeySource
}

/** A line about the node for whoever started it. */
export interface BannerLine {
  readonly plugin: string
  readonly label: string
  readonly value: string
}

/** A running node, without its network side. */
export interface Node {
  readonly schema: GraphQLSchema
  readonly database: Database
  readonly events: EventsService
  readonly plugins: readonly PluginStatus[]
  /** What plugins want to run before each request. */
  readonly before: readonly BeforeRequest[]
  readonly banner: readonly BannerLine[]
  readonly identity: Identity
  readonly jobs: NodeJobs
  /** Of the node and its plugins. */
  readonly metrics: MetricsRegistry
  /** What plugins serve beside GraphQL. */
  readonly routes: readonly MountedRoute[]
  /** Whether it can serve: its database is up, and every plugin that it needs is well. */
  ready(): Promise<Health>
  /** Drains and stops the plugins, those first that depend on others, then the events and the database. */
  stop(): Promise<void>
}

/**
 * Brings a node up: database, migrations, services, schema, start. If a plugin cannot boot (and has not asked to be
 * left out), all that was started is stopped again and its error is thrown.
 */
export async function startNode(options: NodeOptions): Promise<Node> {
  const { plugins, dataDir, log, clock = systemClock, bounds = BOUNDS, limits = DEFAULT_LIMITS } = options
  const banner: BannerLine[] = []
  const metrics = new MetricsRegistry(log)
  let database: Database | undefined
  let events: EventsService | undefined
  let identity: Identity | undefined
  let cluster: Cluster | undefined
  let jobs: NodeJobs | undefined
  const shared: Shared = {
    services: new ServiceRegistry(options.fakes),
    log,
    clock,
    limits,
    dataDir: () => dataDir,
    database: () => database ?? tooEarly('sql')(),
    events: () => events ?? tooEarly('events')(),
    banner: (plugin, label, value) => banner.push({ plugin, label, value }),
    jobs: (plugin) => jobs?.of(plugin) ?? tooEarly('jobs')(),
    peers: (plugin) => cluster?.peers(plugin) ?? tooEarly('peers')(),
    jobList: () => jobs?.list ?? tooEarly('jobs')(),
    metrics: (plugin) => metrics.of(plugin),
    tracing: options.tracing,
    identity: () => identity ?? tooEarly('identity')(),
    network: { name: UNNAMED_NETWORK, id: null },
  }
  const slots = makeSlots(plugins, shared)
  const unwatch = watchTimers()
  const stop = async (): Promise<void> => {
    events?.drain()
    await jobs?.drain()
    await stopAll(slots, log, bounds, (plugin) => jobs?.drainContinuous(plugin))
    await jobs?.stop()
    await cluster?.stop()
    await events?.stop()
    await identity?.stop()
    await database?.close()
  }
  try {
    // The database starts in a process of its own; the schema needs nothing from it, so both are made at once.
    const opening = options.openDatabase()
    const [opened, schema] = await bothOrClose(opening, async () => buildServedSchema(slots, shared))
    database = opened
    await migrateAll(slots, opened, log)
    const topics = plugins.flatMap(({ definition, problem }) =>
      problem === undefined ? (definition.topics ?? []) : [],
    )
    events = createEvents({ sql: opened.sql(CORE_SCHEMA), log: log.child({ part: 'events' }), topics })
    cluster = new Cluster({ database: opened, node: nodeId(dataDir), clock, log, peers: options.peers })
    jobs = new NodeJobs({ workers: slots, database: opened, cluster, clock, log, metrics })
    identity = new Identity({
      sql: opened.sql(CORE_SCHEMA),
      clock,
      log: log.child({ part: 'identity' }),
      config: options.identity ?? {},
      hostname: options.hostname ?? '127.0.0.1',
      masterKeys: options.masterKeys ?? masterKeyFile(join(dataDir, 'keystore.key')),
      network: () => shared.network,
      limits,
      accountScopes: plugins.flatMap(({ definition }) => definition.accountScopes ?? []),
    })
    await identity.start()
    await provideAll(slots, shared.services, log)
    await Promise.all([events.start(), jobs.prepare()])
    await startAll(
      slots,
      log,
      bounds,
      (plugin) => jobs?.begin(plugin),
      (plugin) => jobs?.drainContinuous(plugin),
    )
    for (const { name, status } of slots) if (status === 'FAILED') putOutOfService(schema, name)
    measureNode(metrics, opened, events, slots)
    return {
      schema,
      database: opened,
      events,
      plugins: slots,
      before: beforeRequests(slots),
      banner,
      identity,
      jobs,
      metrics,
      routes: mountRoutes(slots),
      ready: readinessOf(opened, slots),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  } finally {
    unwatch()
  }
}

function beforeRequests(slots: readonly Slot[]): BeforeRequest[] {
  return slots.flatMap(({ name, plugin: { definition }, host, status }) => {
    if (definition.beforeRequest === undefined || status === 'FAILED') return []
    const blame = (error: unknown): never => {
      if (!(error instanceof GraphQLError)) host.log.error({ error }, `plugin "${name}": its beforeRequest failed`)
      throw error
    }
    const before: BeforeRequest = (context) => {
      try {
        return definition.beforeRequest?.(context, host)?.catch(blame)
      } catch (error) {
        return blame(error)
      }
    }
    return [before]
  })
}

/** Waits for both; if the second fails, what the first has opened is closed again. */
async function bothOrClose<T>(opening: Promise<Database>, work: () => Promise<T>): Promise<[Database, T]> {
  const [opened, made] = await Promise.allSettled([opening, work()])
  if (opened.status === 'fulfilled' && made.status === 'fulfilled') return [opened.value, made.value]
  if (opened.status === 'fulfilled') await opened.value.close()
  throw made.status === 'rejected' ? made.reason : opened.status === 'rejected' ? opened.reason : undefined
}
