import type { Database } from '../db/database.ts'
import type { EventsService } from '../events/index.ts'
import type { MetricsRegistry } from '../metrics/index.ts'
import type { PluginStatus } from './slot.ts'

const STATES = ['STARTING', 'RUNNING', 'FAILED', 'DRAINING', 'STOPPED'] as const

/** What the node tells about itself at /metrics: asked for when it is scraped, so that it costs nothing else. */
export function measureNode(
  { core, beforeScrape }: Pick<MetricsRegistry, 'core' | 'beforeScrape'>,
  database: Database,
  events: EventsService,
  plugins: readonly PluginStatus[],
): void {
  core.gauge({
    name: 'database_up_ratio',
    help: '1 while the database answers, else 0.',
    read: () => (database.status().status === 'up' ? 1 : 0),
  })
  core.gauge({
    name: 'events_head_count',
    help: 'Batches of events that have their place in the stream, as far as this node knows.',
    read: () => events.progress().head,
  })
  core.gauge({
    name: 'events_behind_count',
    help: 'Batches of events that have their place and that subscribers of this node were not given yet.',
    read: () => events.progress().head - events.progress().given,
  })
  const published = core.counter({
    name: 'events_published_total',
    help: 'Events that plugins have written through this node, committed or not.',
  })
  const states = core.gauge({
    name: 'plugin_state_count',
    help: '1 for the state that the plugin is in.',
    labels: ['plugin', 'state'],
  })
  beforeScrape(() => {
    published.line({}).value = events.progress().published
    for (const { name, status } of plugins)
      for (const state of STATES) states.set(state === status ? 1 : 0, { plugin: name, state: state.toLowerCase() })
  })
}
