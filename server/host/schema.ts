import type { GraphQLSchema } from 'graphql'
import { buildSchema, type SchemaPart } from '../../schema/index.ts'
import { identitySchema } from '../auth/index.ts'
import { coreSchema } from '../graphql/core-schema.ts'
import { jobsSchema } from '../jobs/index.ts'
import type { CheckedPlugin } from './check.ts'
import type { Shared } from './plugin-host.ts'
import { makeSlots, type Slot } from './slot.ts'
import { unopened } from './unopened.ts'

/** One schema from the core and all plugins. Throws SchemaError with every problem. */
export function buildNodeSchema(
  slots: readonly Slot[],
  { clock, events, identity, jobList, limits, network }: Shared,
): GraphQLSchema {
  const parts: SchemaPart[] = [
    coreSchema({ clock, events, limits, networkName: () => network.name, plugins: () => slots }),
    identitySchema(identity),
    jobsSchema(jobList, () => identity().audit),
  ]
  for (const { name, host, plugin } of slots) {
    const { definition } = plugin
    if (definition.graphql === undefined) continue
    parts.push({ owner: name, define: (builder) => definition.graphql?.(builder, host) })
  }
  return buildSchema(parts)
}

/** The schema without a node: nothing is opened, and resolvers cannot run. */
export function printableSchema(plugins: readonly CheckedPlugin[]): GraphQLSchema {
  const shared = unopened()
  return buildNodeSchema(makeSlots(plugins, shared), shared)
}
