import type { GraphqlEndpoint } from '../graphql/endpoint.ts'
import type { HistogramSeries, MetricsRegistry } from '../metrics/index.ts'
import type { Answered } from './exchange.ts'

/** Seconds. */
const DURATIONS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const

/** Tells what GraphQL is busy with, whenever that is asked for. */
export function measureLoad({ core }: Pick<MetricsRegistry, 'core'>, graphql: Pick<GraphqlEndpoint, 'load'>): void {
  core.gauge({
    name: 'graphql_running_count',
    help: 'Queries and mutations that are being answered.',
    read: () => graphql.load().running,
  })
  core.gauge({
    name: 'graphql_subscriptions_count',
    help: 'Subscriptions that are open.',
    read: () => graphql.load().subscriptions,
  })
  core.gauge({
    name: 'graphql_subscription_sources_count',
    help: 'Executions behind the open subscriptions: identical ones share one.',
    read: () => graphql.load().sources,
  })
  core.gauge({
    name: 'graphql_subscription_retained_bytes',
    help: 'Results in memory for subscribers who are behind.',
    read: () => graphql.load().retainedBytes,
  })
  core.gauge({
    name: 'graphql_websockets_count',
    help: 'WebSockets that are open.',
    read: () => graphql.load().webSockets,
  })
}

/** Measures each answered request by route and status. */
export function httpMetrics(metrics: MetricsRegistry): (answered: Answered) => void {
  const requests = metrics.core.histogram({
    name: 'http_request_duration_seconds',
    help: 'Time to answer HTTP requests; status 0 if the client went away before.',
    labels: ['plugin', 'route', 'status'],
    buckets: DURATIONS,
  })
  // Nearly every request is one of these: their lines are found without a search.
  const graphql = new Map<number, HistogramSeries>()
  return ({ plugin, route, status, seconds }) => {
    if (route !== 'graphql') return requests.line({ plugin, route, status: String(status) }).observe(seconds)
    let line = graphql.get(status)
    if (line === undefined) {
      line = requests.line({ plugin, route, status: String(status) })
      graphql.set(status, line)
    }
    line.observe(seconds)
  }
}
