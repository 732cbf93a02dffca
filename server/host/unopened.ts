import { DEFAULT_LIMITS } from '../graphql/limits.ts'
import { silentLog } from '../log.ts'
import { MetricsRegistry } from '../metrics/index.ts'
import { systemClock } from './clock.ts'
import { type Shared, tooEarly, UNNAMED_NETWORK } from './plugin-host.ts'
import { ServiceRegistry } from './services.ts'

/** What plugins share before there is a node, or where there never is one: what would have to be opened throws. */
export function unopened(): Shared {
  const metrics = new MetricsRegistry(silentLog)
  return {
    services: new ServiceRegistry(),
    log: silentLog,
    clock: systemClock,
    limits: DEFAULT_LIMITS,
    dataDir: tooEarly('dataDir'),
    database: tooEarly('sql'),
    events: tooEarly('events'),
    banner: () => undefined,
    jobs: tooEarly('jobs'),
    peers: tooEarly('peers'),
    jobList: tooEarly('jobs'),
    // Needs nothing opened: a plugin may make its counters where it defines its fields.
    metrics: (plugin) => metrics.of(plugin),
    identity: tooEarly('identity'),
    network: { name: UNNAMED_NETWORK, id: null },
  }
}
