import type { GraphQLSchema } from 'graphql'
import { buildSchema, SchemaError, type SchemaPart } from '../../schema/index.ts'
import { identitySchema } from '../auth/index.ts'
import { coreSchema } from '../graphql/core-schema.ts'
import { jobsSchema } from '../jobs/index.ts'
import { failDependents } from './boot.ts'
import type { CheckedPlugin } from './check.ts'
import type { Shared } from './plugin-host.ts'
import { makeSlots, type Slot } from './slot.ts'
import { unopened } from './unopened.ts'

/**
 * The same for a node that is to start: a plugin whose part does not fit, and that may be left out, is left out, with
 * what needs it.
 * @throws SchemaError if a plugin that may not be left out is to blame; PluginError if one needs what was left out
 */
export function buildServedSchema(slots: readonly Slot[], shared: Shared): GraphQLSchema {
  for (;;) {
    failDependents(slots, shared.log)
    try {
      return buildNodeSchema(slots, shared)
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error
      const spared = slots.filter(({ status, plugin }) => status !== 'FAILED' && plugin.onBootFailure === 'continue')
      if (!error.problems.every(({ owner }) => spared.some(({ name }) => name === owner))) throw error
      for (const slot of spared) {
        const messages = error.problems.flatMap(({ owner, message }) => (owner === slot.name ? [message] : []))
        if (messages.length === 0) continue
        const problem = `plugin "${slot.name}": ${messages.join(' ')}`
        shared.log.error({ plugin: slot.name }, `${problem} Going on without it.`)
        slot.fail(problem)
      }
    }
  }
}

/** One schema from the core and all plugins that have not failed. Throws SchemaError with every problem. */
function buildNodeSchema(
  slots: readonly Slot[],
  { clock, events, identity, jobList, limits, network }: Shared,
): GraphQLSchema {
  const parts: SchemaPart[] = [
    coreSchema({ clock, events, limits, networkName: () => network.name, plugins: () => slots }),
    identitySchema(identity),
    jobsSchema(jobList, () => identity().audit),
  ]
  for (const { name, host, plugin, status } of slots) {
    const { definition } = plugin
    if (definition.graphql === undefined || status === 'FAILED') continue
    parts.push({ owner: name, define: (builder) => definition.graphql?.(builder, host) })
  }
  return buildSchema(parts)
}

/** The schema without a node: nothing is opened, and resolvers cannot run. */
export function printableSchema(plugins: readonly CheckedPlugin[]): GraphQLSchema {
  const shared = unopened()
  return buildNodeSchema(makeSlots(plugins, shared), shared)
}
