import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'

const compress = promisify(gzip)
const decompress = promisify(gunzip)

const firstQuery = `# The node's GraphQL API. Press the play button.
query FirstLook {
  network {
    name
    version
    time
  }
  plugins {
    name
    version
    status
  }
}
`

/** Everything is in the page; nothing may be fetched from elsewhere. Monaco's workers come from blobs. */
const policy =
  "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; worker-src blob:; img-src 'self' data:; font-src 'self' data:; connect-src 'self' ws: wss:; frame-ancestors 'none'"

/** A URL that holds a request: its answer is wanted, even in a browser. */
const ASKS = /[?&](query|documentId|extensions)=/

let compressed: Promise<Buffer> | undefined
/** One for all who cannot take it compressed. */
let plain: Promise<Buffer> | undefined

/** Whether a browser asks for a page rather than for data. */
export function wantsPage({ method, headers, url }: IncomingMessage): boolean {
  return method === 'GET' && headers.accept?.includes('text/html') === true && !ASKS.test(url ?? '')
}

/** Answers with GraphiQL: 9 MB of JavaScript, made and compressed when it is first asked for. */
export async function sendGraphiql(request: IncomingMessage, response: ServerResponse): Promise<void> {
  compressed ??= render()
  const asIs = request.headers['accept-encoding']?.includes('gzip') === true
  if (!asIs) plain ??= compressed.then((bytes) => decompress(bytes))
  const body = await (asIs ? compressed : (plain ?? compressed))
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': body.length,
    ...(asIs ? { 'content-encoding': 'gzip' } : {}),
    vary: 'accept, accept-encoding',
    'cache-control': 'no-cache',
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
  })
  response.end(body)
}

async function render(): Promise<Buffer> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
  const html = renderGraphiQL({ title: 'deAIOS', defaultQuery: firstQuery, subscriptionsProtocol: 'WS' })
  return compress(html, { level: 6 })
}
