import { relative } from 'node:path'
import type { ResolvedConfig } from '../config.ts'
import type { CheckedPlugin } from '../host/check.ts'
import type { Node } from '../host/node.ts'
import { SERVER_VERSION } from '../version.ts'

const LABEL_WIDTH = 14

const line = (label: string, value: string): string => `  ${label.padEnd(LABEL_WIDTH)} ${value}\n`

/** A path as one would type it. */
const near = (path: string): string => {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') || short === '' ? path : `./${short}`
}

/** What is about to start. */
export function starting(config: ResolvedConfig, plugins: readonly CheckedPlugin[]): string {
  const names = plugins.map(
    ({ definition, problem }) =>
      `${definition.name} ${definition.version}${problem === undefined ? '' : ' (left out)'}`,
  )
  return [
    `deaios ${SERVER_VERSION}\n`,
    line('config', near(config.file)),
    line('data', near(config.dataDir)),
    line('plugins', names.join(', ') || 'none'),
  ].join('')
}

/** Where everything is, a first query, and the line that says `ready`. */
export function running(node: Node, url: string, logFile: string): string {
  const body = JSON.stringify({ query: '{ network { name version } plugins { name status } }' })
  return [
    line('database', `${node.database.where} (${node.database.version})`),
    ...node.banner.map(({ label, value }) => line(label, value)),
    line('log', near(logFile)),
    line('graphql', `${url}  (open it in a browser for GraphiQL; subscriptions by SSE and WebSocket)`),
    `\n  A first query:\n  curl -s ${url} -H 'content-type: application/json' -d '${body}'\n\n`,
    `ready ${url}\n`,
  ].join('')
}
