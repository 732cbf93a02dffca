import type { GraphQLSchema } from 'graphql'
import { buildSchema, type SchemaPart } from '../../schema/index.ts'
import { coreSchema } from '../graphql/core-schema.ts'
import { silentLog } from '../log.ts'
import { MetricsRegistry } from '../metrics/index.ts'
import type { CheckedPlugin } from './check.ts'
import { systemClock } from './clock.ts'
import { type Shared, tooEarly, UNNAMED_NETWORK } from './plugin-host.ts'
import { ServiceRegistry } from './services.ts'
import { makeSlots, type Slot } from './slot.ts'

/** One schema from the core and all plugins. Throws SchemaError with every problem. */
export function buildNodeSchema(slots: readonly Slot[], { clock, events, network }: Shared): GraphQLSchema {
  const parts: SchemaPart[] = [coreSchema({ clock, events, networkName: () => network.name, plugins: () => slots })]
  for (const { name, host, plugin } of slots) {
    const { definition } = plugin
    if (definition.graphql === undefined) continue
    parts.push({ owner: name, define: (builder) => definition.graphql?.(builder, host) })
  }
  return buildSchema(parts)
}

/** The schema without a node: nothing is opened, and resolvers cannot run. */
export function printableSchema(plugins: readonly CheckedPlugin[]): GraphQLSchema {
  const metrics = new MetricsRegistry(silentLog)
  const shared: Shared = {
    services: new ServiceRegistry(),
    log: silentLog,
    clock: systemClock,
    dataDir: tooEarly('dataDir'),
    database: tooEarly('sql'),
    events: tooEarly('events'),
    banner: () => undefined,
    jobs: tooEarly('jobs'),
    // Needs nothing opened: a plugin may make its counters where it defines its fields.
    metrics: (plugin) => metrics.of(plugin),
    network: { name: UNNAMED_NETWORK },
  }
  return buildNodeSchema(makeSlots(plugins, shared), shared)
}
