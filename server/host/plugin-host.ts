import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Identity } from '../auth/index.ts'
import type { Database } from '../db/database.ts'
import type { EventsService } from '../events/index.ts'
import type { Limits } from '../graphql/limits.ts'
import type { JobList } from '../jobs/index.ts'
import type { Clock, Host, Log } from '../plugin/host.ts'
import type { Jobs } from '../plugin/jobs.ts'
import type { Metrics } from '../plugin/metrics.ts'
import type { Peers } from '../plugin/peers.ts'
import { ownerOf } from '../plugin/tokens.ts'
import type { Tracing } from '../tracing/index.ts'
import { SERVER_VERSION } from '../version.ts'
import type { CheckedPlugin } from './check.ts'
import { HostError } from './errors.ts'
import { pluginPool } from './plugin-pool.ts'
import type { ServiceRegistry } from './services.ts'

/** What `network { name }` answers until a plugin names the network. */
export const UNNAMED_NETWORK = 'deaios'

/** What the plugins of one node share. Members that are not there yet throw TOO_EARLY when touched. */
export interface Shared {
  readonly services: ServiceRegistry
  readonly log: Log
  readonly clock: Clock
  /** What clients may ask for. */
  readonly limits: Limits
  readonly dataDir: () => string
  readonly database: () => Database
  readonly events: () => EventsService
  readonly jobs: (plugin: string) => Jobs
  /** What operators see of all jobs. */
  readonly jobList: () => JobList
  readonly peers: (plugin: string) => Peers
  readonly metrics: (plugin: string) => Metrics
  /** Where traces go; nowhere if absent. */
  readonly tracing?: Tracing | undefined
  readonly identity: () => Identity
  /** What to print about the node, by plugin. */
  readonly banner: (plugin: string, label: string, value: string) => void
  /** The network that this node is part of; null for one without an id. */
  readonly network: { name: string; id: Uint8Array | null }
}

/** The host of a plugin, with nothing opened: each member is looked up when it is touched. */
export function makeHost(
  { definition, config }: CheckedPlugin,
  shared: Shared,
  signal: AbortSignal,
): Host<Record<string, unknown>> {
  const { name, requires = {} } = definition
  const sql = pluginPool(shared.database, name, shared.limits, (plugin) => shared.metrics(plugin))
  const use = {}
  for (const [key, token] of Object.entries(requires)) {
    const get = (): unknown => {
      if (token.kind === 'optional') return shared.services.find(token.service)
      const found = shared.services.find(token)
      if (found !== undefined) return found
      throw new HostError(
        'NOT_PROVIDED',
        `plugin "${name}": ${token.id} is not there; plugin "${ownerOf(token)}" has not started, or has failed`,
      )
    }
    Object.defineProperty(use, key, { enumerable: true, get })
  }
  return {
    name,
    version: SERVER_VERSION,
    config,
    use,
    log: shared.log.child({ plugin: name }),
    signal,
    clock: shared.clock,
    get sql() {
      return sql()
    },
    get database() {
      return shared.database().options(name)
    },
    get events() {
      return shared.events()
    },
    get jobs() {
      return shared.jobs(name)
    },
    get peers() {
      return shared.peers(name)
    },
    get metrics() {
      return shared.metrics(name)
    },
    get custody() {
      return shared.identity().custody
    },
    get audit() {
      return shared.identity().audit
    },
    get dataDir() {
      const folder = join(shared.dataDir(), name)
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      return folder
    },
    own: (token) => shared.services.own(name, token),
    contributions: (point) => shared.services.contributions(name, point),
    banner: (label, value) => shared.banner(name, label, value),
    nameNetwork(network, id) {
      shared.network.name = network
      shared.network.id = id ?? null
    },
  }
}

/** For members of `Shared` that do not exist yet, or never will where only the schema is printed. */
export const tooEarly = (member: string) => (): never => {
  throw new HostError(
    'TOO_EARLY',
    `host.${member} was touched before the node runs; in graphql(), use it in resolvers only`,
  )
}
