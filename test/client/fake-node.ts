import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket as Socket, WebSocketServer } from 'ws'
import { FakeLedger } from './fake-ledger.ts'

interface Operation {
  readonly query: string
  readonly variables: Record<string, never>
  readonly extensions?: unknown
}

/** How one HTTP request goes wrong: before or after the node acted on it, with a status, or with a code. */
export type Mishap = 'drop before' | 'drop after' | 503 | 'SHARD_UNAVAILABLE' | 'OVERLOADED'

/** A node as far as a client sees it: GraphQL over HTTP and WebSocket, in front of a ledger that executes at once. */
export interface FakeNode {
  readonly url: string
  readonly ledger: FakeLedger
  /** Names of the operations that were asked for over HTTP. */
  readonly requests: string[]
  /** `extensions` of the last one, and those of the answers. */
  asked: unknown
  extensions: object | undefined
  /** What happens to the next requests of that operation, one each. */
  readonly mishaps: Map<string, Mishap[]>
  /** What a subscription yields; by default the states of a transaction. */
  source: (operation: Operation) => AsyncIterable<unknown>
  /** How a subscription that fails is told: both are in use. */
  refuses: 'as an error' | 'as a result'
  /** How many WebSocket connections there were, and what each said of itself. */
  connections: number
  readonly parameters: unknown[]
  /** Open subscriptions. */
  readonly open: Set<AsyncIterator<unknown>>
  /** Closes all WebSocket connections. */
  disconnect(code: number, reason: string): void
  close(): Promise<void>
}

export async function startFakeNode(): Promise<FakeNode> {
  const ledger = new FakeLedger()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const operation: Operation = JSON.parse(Buffer.concat(chunks).toString())
      const name = /(?:query|mutation) (\w+)/.exec(operation.query)?.[1] ?? ''
      node.requests.push(name)
      node.asked = operation.extensions
      const mishap = node.mishaps.get(name)?.shift()
      if (mishap === 'drop before') return request.socket.destroy()
      if (mishap === 503) return response.writeHead(503).end('come back later')
      if (mishap === 'SHARD_UNAVAILABLE' || mishap === 'OVERLOADED')
        return response.end(JSON.stringify({ errors: [{ message: 'not now', extensions: { code: mishap } }] }))
      const answer = await ledger.answer(name, operation.variables)
      if (mishap === 'drop after') return request.socket.destroy()
      return response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ ...answer, extensions: node.extensions }))
    })
  })
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'graphql-transport-ws' })
  sockets.on('connection', (socket, { socket: stream }) => {
    node.connections++
    serve(socket, stream, node)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const node: FakeNode = {
    url: `http://127.0.0.1:${port}/graphql`,
    ledger,
    requests: [],
    asked: undefined,
    extensions: undefined,
    mishaps: new Map(),
    source: ({ variables }) => ledger.watch(variables.id as unknown as string),
    refuses: 'as an error',
    connections: 0,
    parameters: [],
    open: new Set(),
    disconnect: (code, reason) => {
      for (const socket of sockets.clients) socket.close(code, reason)
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets.clients) socket.terminate()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return node
}

/** The graphql-transport-ws protocol, as far as it takes. */
function serve(socket: Socket, stream: Duplex, node: FakeNode): void {
  const { open } = node
  const running = new Map<string, AsyncIterator<unknown>>()
  const send = (message: object) => socket.send(JSON.stringify(message))
  const run = async (id: string, operation: Operation) => {
    const results = node.source(operation)[Symbol.asyncIterator]()
    running.set(id, results)
    open.add(results)
    try {
      for (let next = await results.next(); !next.done; next = await results.next()) {
        send({ id, type: 'next', payload: { data: next.value } })
      }
      if (running.has(id)) send({ id, type: 'complete' })
    } catch (error) {
      const { message, code } = error as Error & { readonly code?: string }
      const payload = [{ message, extensions: { code } }]
      if (node.refuses === 'as an error') return send({ id, type: 'error', payload })
      // In one piece, so that a client gets both in one turn.
      stream.cork()
      send({ id, type: 'next', payload: { errors: payload } })
      send({ id, type: 'complete' })
      stream.uncork()
    } finally {
      running.delete(id)
      open.delete(results)
    }
  }
  const stop = (id: string) => {
    const results = running.get(id)
    running.delete(id)
    if (results === undefined) return
    open.delete(results)
    void results.return?.()
  }
  socket.on('message', (data) => {
    const { type, id, payload } = JSON.parse(String(data))
    if (type === 'connection_init') {
      node.parameters.push(payload)
      send({ type: 'connection_ack' })
    }
    if (type === 'ping') send({ type: 'pong' })
    else if (type === 'subscribe') void run(id, payload)
    else if (type === 'complete') stop(id)
  })
  socket.on('close', () => {
    for (const id of [...running.keys()]) stop(id)
  })
}
