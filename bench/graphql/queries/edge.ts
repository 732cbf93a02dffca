/** The process that serves, and does nothing else. */
import { createServer, type Server } from 'node:http'
import { createYoga } from 'graphql-yoga'
import { ANONYMOUS, buildSchema, type Context } from '../../../schema/index.ts'
import { CONSOLE, createKey } from '../../../server/auth/keys.ts'
import { openDatabase } from '../../../server/db/database.ts'
import { DEFAULT_LIMITS } from '../../../server/graphql/index.ts'
import { checkPlugins } from '../../../server/host/check.ts'
import { type Node, startNode } from '../../../server/host/node.ts'
import { servedOf } from '../../../server/host/served.ts'
import { createHttpServer } from '../../../server/http/index.ts'
import { silentLog } from '../../../server/log.ts'
import { answerParent } from '../live/child.ts'
import { library, libraryGraphql } from './library.ts'
import type { EdgeAnswers, EdgeRequest } from './messages.ts'

/** A key that may ask as often as there is time for. */
const RATE = { perSecond: 1_000_000, burst: 1_000_000 }

let node: Node | undefined

async function openDeaios(folder: string): Promise<EdgeAnswers['open']> {
  const limits = { ...DEFAULT_LIMITS, keyRequestsPerSecond: RATE.perSecond, keyRequestsAtOnce: RATE.burst }
  const log = silentLog
  const plugins = checkPlugins([library()])
  const openIt = () => openDatabase({ dataDir: folder, log })
  const started = await startNode({ plugins, dataDir: folder, log, limits, openDatabase: openIt })
  node = started
  const { port } = await createHttpServer({ ...servedOf(started), limits, log, port: 0 })
  const { token } = await started.identity.sql.begin((tx) =>
    createKey(
      tx,
      CONSOLE,
      { name: 'bench', account: null, scopes: [], expiresAt: null, rate: RATE, capTotal: null, capDaily: null },
      Date.now(),
      { rate: RATE },
    ),
  )
  return { port, authorization: `Bearer ${token}` }
}

/** graphql-yoga as its documentation has it, with its caches on. */
async function openYoga(): Promise<EdgeAnswers['open']> {
  const noSql = (): never => {
    throw new TypeError('yoga is measured with what is in memory')
  }
  const schema = buildSchema([{ owner: 'library', define: (builder) => libraryGraphql(builder, noSql) }])
  const context = (): Context => ({
    requestId: 'yoga',
    principal: ANONYMOUS,
    signal: new AbortController().signal,
    requestExtensions: {},
    responseExtensions: {},
  })
  const port = await listen(createServer(createYoga({ schema, context, logging: false })))
  return { port, authorization: null }
}

/** The least that an answer takes. */
function openPlain(answer: Uint8Array): Promise<number> {
  const body = Buffer.from(answer)
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      response.writeHead(200, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': body.length,
        'cache-control': 'no-store',
      })
      response.end(body)
    })
  })
  return listen(server)
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

answerParent<EdgeRequest>(
  async (request) => {
    if (request.kind === 'cpu') return cpuSeconds()
    if (request.kind === 'plain') return { port: await openPlain(request.answer) } satisfies EdgeAnswers['plain']
    return request.how === 'deaios' ? openDeaios(request.folder) : openYoga()
  },
  async () => node?.stop(),
)
