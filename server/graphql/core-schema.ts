import {
  apiError,
  type Builder,
  MAX_PAGE,
  NetworkType,
  pageCost,
  pageSize,
  type SchemaPart,
} from '../../schema/index.ts'
import type { Clock, EventRecord, Events, Health } from '../plugin.ts'
import { API_VERSION, SERVER_VERSION } from '../version.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import { defineLimits } from './limits-type.ts'

/** How a plugin is doing. */
export interface PluginReport {
  readonly name: string
  readonly version: string
  readonly status: 'STARTING' | 'RUNNING' | 'FAILED' | 'DRAINING' | 'STOPPED'
  readonly error: string | null
  readonly dependsOn: readonly string[]
  health(): Promise<Health>
}

/** Functions are called in resolvers only, so that the schema can be printed without a node. */
export interface CoreSchemaOptions {
  /** What the operator calls the network; `deaios` if absent. */
  readonly networkName?: () => string
  readonly events: () => Events & { readonly topics: ReadonlySet<string> }
  readonly plugins: () => readonly PluginReport[]
  readonly clock: Clock
  readonly limits?: Limits
}

/** What the core itself offers: network, plugins and events. */
export function coreSchema(options: CoreSchemaOptions): SchemaPart {
  return {
    owner: 'core',
    define(builder) {
      defineNetwork(builder, options)
      definePlugins(builder, options)
      defineEvents(builder, options)
    },
  }
}

function defineNetwork(
  builder: Builder,
  { networkName = () => 'deaios', clock, limits = DEFAULT_LIMITS }: CoreSchemaOptions,
): void {
  const limitsType = defineLimits(builder)
  const network = builder.refOf(NetworkType)
  builder.objectType(network, {
    description: 'The network that this node is part of.',
    fields: (t) => ({
      name: t.exposeString('name', { nullable: false, description: 'As its operator calls it.' }),
      version: t.string({ nullable: false, description: 'Of the server.', resolve: () => SERVER_VERSION }),
      apiVersion: t.string({ nullable: false, description: 'Of the plugin interface.', resolve: () => API_VERSION }),
      time: t.field({
        type: 'DateTime',
        nullable: false,
        description: 'Of this node.',
        resolve: () => new Date(clock.now()),
      }),
      limits: t.field({
        type: limitsType,
        nullable: false,
        description: 'What clients may ask for.',
        resolve: () => ({ ...limits }),
      }),
    }),
  })
  builder.queryField('network', (t) =>
    t.field({
      type: network,
      nullable: false,
      description: 'The network, and the node that answers.',
      resolve: () => ({ name: networkName() }),
    }),
  )
}

function definePlugins(builder: Builder, { plugins }: CoreSchemaOptions): void {
  const status = builder.enumType('PluginStatus', {
    description: 'How far a plugin is.',
    values: {
      STARTING: { description: 'It is not in service yet.' },
      RUNNING: { description: 'It is in service.' },
      FAILED: { description: 'It is out of service; `error` says why.' },
      DRAINING: { description: 'The node is stopping: it finishes what was begun.' },
      STOPPED: { description: 'It has ended with the node.' },
    } as const satisfies Record<PluginReport['status'], object>,
  })
  const health = builder.objectRef<Health>('Health').implement({
    description: 'What a plugin says of itself.',
    fields: (t) => ({
      ok: t.exposeBoolean('ok', { nullable: false, description: 'Whether it does all that it should.' }),
      message: t.string({
        description: 'What is wrong, or how it is doing.',
        resolve: ({ message }) => message ?? null,
      }),
    }),
  })
  const plugin = builder.objectRef<PluginReport>('Plugin').implement({
    description: 'A layer of this node.',
    fields: (t) => ({
      name: t.exposeString('name', { nullable: false, description: 'By which others depend on it.' }),
      version: t.exposeString('version', { nullable: false, description: 'Its own.' }),
      status: t.field({
        type: status,
        nullable: false,
        description: 'How far it is.',
        resolve: (report) => report.status,
      }),
      error: t.exposeString('error', { description: 'Why it failed.' }),
      dependsOn: t.stringList({
        nullable: false,
        description: 'The plugins that must be there for it.',
        resolve: (report) => [...report.dependsOn],
      }),
      health: t.field({
        type: health,
        description: 'What it says of itself now.',
        complexity: 5,
        resolve: (report) => report.health(),
      }),
    }),
  })
  builder.queryField('plugins', (t) =>
    t.field({
      type: [plugin],
      nullable: false,
      description: 'All plugins, those first that others depend on.',
      resolve: () => [...plugins()],
    }),
  )
}

function defineEvents(builder: Builder, { events }: CoreSchemaOptions): void {
  const event = builder.objectRef<EventRecord>('Event').implement({
    description: 'Something that has happened and is durable. Cursors follow the order in which events became so.',
    fields: (t) => ({
      cursor: t.expose('cursor', {
        type: 'Cursor',
        nullable: false,
        description: 'Pass it as `after` to go on behind this event.',
      }),
      topic: t.exposeString('topic', { nullable: false, description: 'What has happened, like `execution.block`.' }),
      payload: t.expose('payload', { type: 'JSON', description: 'Bytes as 0x-hex, big numbers as decimal strings.' }),
      shard: t.exposeString('shard', { description: 'The shard whose block caused it.' }),
      height: t.expose('height', { type: 'BigInt', description: 'That block.' }),
      time: t.expose('time', { type: 'DateTime', nullable: false, description: 'When it was published.' }),
    }),
  })
  const connection = builder.connectionOf(event)

  const known = (topics: readonly string[] | null | undefined): readonly string[] | null => {
    if (topics == null) return null
    const unknown = topics.filter((topic) => !events().topics.has(topic))
    if (unknown.length === 0) return topics
    const names = [...events().topics].sort().slice(0, MAX_PAGE)
    throw apiError(
      'UNKNOWN_TOPIC',
      `There is no topic ${unknown
        .slice(0, 3)
        .map((topic) => JSON.stringify(topic.slice(0, 100)))
        .join(', ')}.`,
      { topics: names },
    )
  }

  builder.queryField('events', (t) =>
    t.field({
      type: connection,
      nullable: false,
      description: 'Events from the oldest kept one on, or behind a cursor.',
      args: { topics: t.arg.stringList({ description: 'Only these; all if absent.' }), ...builder.forwardPageArgs },
      complexity: pageCost,
      resolve: async (_root, { topics, first, after }) => {
        const page = await events().page(known(topics), pageSize({ first }), after ?? undefined)
        const edges = page.events.map((node) => ({ cursor: node.cursor, node }))
        return {
          edges,
          pageInfo: {
            hasNextPage: page.hasMore,
            hasPreviousPage: after != null,
            startCursor: edges[0]?.cursor ?? null,
            endCursor: edges.at(-1)?.cursor ?? after ?? null,
          },
        }
      },
    }),
  )
  builder.subscriptionField('events', (t) =>
    t.field({
      type: event,
      nullable: false,
      description:
        'Events as they become durable; with a cursor, first all behind it. Nothing is left out: a reader that is too slow is ended with SLOW_CONSUMER and the cursor to resume from.',
      args: {
        topics: t.arg.stringList({ description: 'Only these; all if absent.' }),
        after: t.arg({ type: 'Cursor', description: 'First all events behind this cursor; only new ones if absent.' }),
      },
      subscribe: (_root, { topics, after }, { signal }) =>
        events().subscribe(known(topics), { signal, ...(after == null ? {} : { after }) }),
      resolve: (record) => record,
    }),
  )
}
