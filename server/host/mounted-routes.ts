import type { MountedRoute } from '../http/route-table.ts'
import { listed } from './job-problems.ts'
import type { Slot } from './slot.ts'

const DEFAULT_BODY_BYTES = 1 << 20

/** The plugins' routes, each bound to its host. A plugin that has failed keeps its paths: they say what is wrong. */
export const mountRoutes = (slots: readonly Slot[]): readonly MountedRoute[] =>
  slots.flatMap((slot) => {
    const { host, name, plugin } = slot
    const routes = plugin.problem === undefined ? listed(plugin.definition.http, host) : []
    return routes.map(
      (route): MountedRoute => ({
        plugin: name,
        method: route.method,
        path: route.path,
        maxBodyBytes: route.maxBodyBytes ?? DEFAULT_BODY_BYTES,
        scope: route.scope,
        log: host.log,
        outOfService: () =>
          slot.status === 'FAILED' ? `Plugin "${name}" is out of service. Try again later.` : undefined,
        handle: (request) => slot.scope.run(() => route.handle(request, host)),
      }),
    )
  })
