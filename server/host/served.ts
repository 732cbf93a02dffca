import type { HttpServerOptions } from '../http/index.ts'
import type { Node } from './node.ts'

/** What of a node its network side serves. Where it listens is up to whoever opens it. */
export const servedOf = (
  node: Node,
): Pick<
  HttpServerOptions,
  'schema' | 'before' | 'events' | 'routes' | 'ready' | 'metrics' | 'authenticate' | 'clientOf' | 'onAccessEnded'
> => ({
  schema: node.schema,
  before: node.before,
  events: node.events,
  routes: node.routes,
  metrics: node.metrics,
  ready: () => node.ready(),
  authenticate: node.identity.authenticate,
  clientOf: node.identity.clientOf,
  onAccessEnded: (listener) => node.identity.onEnded(listener),
})
