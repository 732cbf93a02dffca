import { SCOPE_NAME } from '../../schema/index.ts'
import { messageOf } from '../db/errors.ts'
import { OWN_PATHS, patternOf, shapeOf } from '../http/route-table.ts'
import type { PluginDefinition } from '../plugin/define.ts'
import type { Host } from '../plugin/host.ts'
import type { HttpRoute } from '../plugin/http.ts'
import type { PluginProblem } from './errors.ts'
import { listed } from './job-problems.ts'

/** Routes that were seen, by method and what their path matches, each with the plugin that has it. */
export type SeenRoutes = Map<string, string>

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
/** No route takes more into one request: larger things are sent in parts. */
const MOST_BODY_BYTES = 1 << 30

/**
 * What is wrong with a plugin's routes, by themselves and beside those of the plugins before it.
 * @param host opened or not: the function that lists the routes must not touch it, only their handlers
 * @param seen is added to
 */
export function routeProblems(
  definition: PluginDefinition,
  host: Host<Record<string, unknown>>,
  seen: SeenRoutes,
): PluginProblem[] {
  const plugin = definition.name
  let routes: readonly HttpRoute<never>[]
  try {
    routes = listed(definition.http, host)
  } catch (error) {
    const problem = `cannot list its routes: ${messageOf(error)}`
    return [{ plugin, code: 'ROUTE_INVALID', problem, mend: 'use services and host.sql only inside `handle`' }]
  }
  return routes.flatMap((route) => {
    const name = `route ${route.method} ${route.path}`
    const found = settingProblems(route).map(
      ([what, mend]): PluginProblem => ({ plugin, code: 'ROUTE_INVALID', problem: `${name} ${what}`, mend }),
    )
    const key = `${route.method} ${shapeOf(route.path)}`
    const other = seen.get(key)
    if (other !== undefined)
      found.push({
        plugin,
        code: 'DUPLICATE_ROUTE',
        problem: `${name} is ${other === plugin ? 'listed twice' : `a route of plugin "${other}" too`}`,
        mend: `change its path, for example to /${plugin}${route.path}`,
      })
    seen.set(key, plugin)
    return found
  })
}

function settingProblems({ method, path, maxBodyBytes, scope }: HttpRoute<never>): [what: string, mend: string][] {
  const found: [string, string][] = []
  if (!METHODS.includes(method)) found.push(['has an unknown method', `use one of ${METHODS.join(', ')}`])
  if (!path.startsWith('/') || !isPattern(path))
    found.push(['has a path that cannot be used', 'write it like /weather/:id.png'])
  else if (OWN_PATHS.some((own) => path === own || path.startsWith(`${own}/`)))
    found.push(["has a path that is the server's own", `choose another than ${OWN_PATHS.join(', ')} and below`])
  if (
    maxBodyBytes !== undefined &&
    !(Number.isInteger(maxBodyBytes) && maxBodyBytes >= 0 && maxBodyBytes <= MOST_BODY_BYTES)
  )
    found.push([`has maxBodyBytes: ${maxBodyBytes}`, `give a whole number from 0 to ${MOST_BODY_BYTES}`])
  if (scope !== undefined && !SCOPE_NAME.test(scope))
    found.push([`asks for the scope ${JSON.stringify(scope)}`, 'name it like "weather:read"'])
  return found
}

function isPattern(path: string): boolean {
  try {
    return patternOf(path) !== undefined
  } catch (error) {
    if (error instanceof TypeError) return false
    throw error
  }
}
