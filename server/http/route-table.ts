import type { HttpRoute, RouteRequest } from '../plugin/http.ts'
import type { Log } from '../plugin.ts'

/** A plugin's route in a running node. */
export interface MountedRoute {
  readonly plugin: string
  readonly method: HttpRoute['method']
  readonly path: string
  readonly maxBodyBytes: number
  readonly scope: string | undefined
  /** Labelled with the plugin. */
  readonly log: Log
  /** Why the plugin cannot serve now; undefined if it can. */
  outOfService(): string | undefined
  handle(request: RouteRequest): Response | Promise<Response>
}

/** What stands for the `:names` of a path. */
export type RouteParams = Readonly<Record<string, string>>

/** What a path leads to: a route, or routes of other methods only. */
export type Found =
  | { readonly kind: 'route'; readonly route: MountedRoute; readonly params: RouteParams }
  | { readonly kind: 'other-methods'; readonly methods: readonly string[] }

interface Entry {
  readonly route: MountedRoute
  readonly pattern: URLPattern
}

/** Paths that are the server's own. */
export const OWN_PATHS: readonly string[] = ['/graphql', '/healthz', '/readyz', '/metrics']

/** The pattern of a route's path. @throws TypeError if it is none */
export const patternOf = (path: string): URLPattern => new URLPattern({ pathname: path })

/** What two paths have in common that match the same requests: how their parts are named makes no difference. */
export const shapeOf = (path: string): string => path.replaceAll(/:\w+/g, ':')

/** All plugins' routes. Of several that match, one without `:names` goes first, then the order of the plugins counts. */
export class RouteTable {
  readonly #entries: readonly Entry[]

  constructor(routes: readonly MountedRoute[]) {
    const entries = routes.map((route) => ({ route, pattern: patternOf(route.path) }))
    const isPlain = ({ route }: Entry): boolean => !/[:*{(]/.test(route.path)
    this.#entries = [...entries.filter(isPlain), ...entries.filter((entry) => !isPlain(entry))]
  }

  /** @param path as in the request, without the query. A HEAD request is a GET whose body is left out. */
  find(method: string, path: string): Found | undefined {
    const others = new Set<string>()
    for (const { route, pattern } of this.#entries) {
      const found = pattern.exec({ pathname: path })
      if (found === null) continue
      if (route.method === method || (method === 'HEAD' && route.method === 'GET'))
        return { kind: 'route', route, params: paramsOf(found.pathname.groups) }
      others.add(route.method)
    }
    return others.size === 0 ? undefined : { kind: 'other-methods', methods: [...others] }
  }
}

function paramsOf(groups: Readonly<Record<string, string | undefined>>): RouteParams {
  const params: Record<string, string> = {}
  for (const [name, value] of Object.entries(groups)) if (value !== undefined) params[name] = decode(value)
  return params
}

/** A `%` that begins nothing stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return text
    throw error
  }
}
