import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql'
import { CloseCode, makeServer, type SubscribePayload } from 'graphql-ws'
import { type WebSocket, WebSocketServer } from 'ws'
import { ANONYMOUS, apiError, type Principal } from '../../schema/index.ts'
import type { Log } from '../plugin.ts'
import { type Authenticate, type Credentials, credentialsOf } from './authenticate.ts'
import type { RawVariables } from './cost.ts'
import type { Operation } from './documents.ts'
import type { Engine } from './engine.ts'
import type { Limits } from './limits.ts'
import { RequestContext } from './request-context.ts'

const PING_MS = 12_000
const INIT_MS = 5_000
/** Answers that a client has not read yet. Each open operation waits for its own; pongs and errors do not. */
const MAX_BUFFERED = 16 << 20

interface Extra {
  /** The operations that are open, to be told when the socket closes. */
  readonly open: Set<RequestContext>
  /** Who it is, as far as the connection itself tells. */
  readonly credentials: Credentials
  /** Who it is; known from the connection's first message on. */
  principal: Principal
}

/** What is carried, as context, from the check of an operation to its start. */
class Run {
  readonly operation: Operation
  readonly variables: RawVariables | null | undefined
  readonly context: RequestContext

  readonly open: Set<RequestContext>

  constructor(operation: Operation, { variables, extensions }: SubscribePayload, { open, principal }: Extra) {
    this.open = open
    this.operation = operation
    this.variables = variables
    this.context = new RequestContext(extensions ?? {}, principal)
    this.open.add(this.context)
    this.context.signal.addEventListener('abort', () => open.delete(this.context), { once: true })
  }
}

/** GraphQL over WebSocket, by the graphql-transport-ws protocol. */
export interface WebSockets {
  /** Closes all sockets with 1001, after their streams have ended. */
  close(): Promise<void>
}

/**
 * Serves WebSockets at /graphql of an HTTP server.
 * @param isAllowed whether a page of this origin may connect; browsers apply no same-origin rule to WebSockets
 */
export function serveWebSockets(
  server: Server,
  engine: Engine,
  limits: Limits,
  log: Log,
  authenticate: Authenticate,
  isAllowed: (request: IncomingMessage) => boolean,
): WebSockets {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.bodyBytes,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has('graphql-transport-ws') ? 'graphql-transport-ws' : false),
  })
  const protocol = makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: INIT_MS,
    onConnect: async ({ extra, connectionParams }) => {
      const { authorization = extra.credentials.authorization } = connectionParams ?? {}
      if (authorization !== undefined && typeof authorization !== 'string') return false
      try {
        extra.principal = await authenticate({ ...extra.credentials, authorization })
        return true
      } catch (error) {
        if (error instanceof GraphQLError) return false
        throw error
      }
    },
    onSubscribe: (context, _id, payload) => {
      if (Object.keys(context.subscriptions).length > limits.subscriptionsPerConnection) {
        const limit = limits.subscriptionsPerConnection
        return [
          apiError(
            'TOO_MANY_SUBSCRIPTIONS',
            `This connection has ${limit} operations open already. End one, or open another connection.`,
            { limit },
          ),
        ]
      }
      return argsOf(engine, payload, context.extra)
    },
    execute: ({ contextValue }) => runOf(contextValue, (run) => answer(engine, run, limits)),
    subscribe: ({ contextValue }) =>
      runOf(contextValue, (run) => engine.subscribe(run.operation, run.variables, run.context)),
  })

  sockets.on('connection', (socket, request) => {
    const open = new Set<RequestContext>()
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        // Resolves when the bytes have left the process: a client that does not read holds up its own streams only.
        send: (text) =>
          new Promise((resolve, reject) =>
            socket.readyState === socket.OPEN
              ? socket.send(text, (error) => (error == null ? resolve() : reject(error)))
              : resolve(),
          ),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (handle) =>
          socket.on('message', (message) => {
            if (socket.bufferedAmount > MAX_BUFFERED) return socket.terminate()
            handle(String(message)).catch((error: unknown) => {
              log.debug({ error }, 'a WebSocket broke while it was answered')
              socket.close(CloseCode.InternalServerError, 'Internal server error')
            })
          }),
      },
      { open, credentials: credentialsOf(request), principal: ANONYMOUS },
    )
    const stopPings = keepAlive(socket)
    socket.on('error', (error) => log.debug({ error }, 'a WebSocket failed'))
    socket.once('close', (code, reason) => {
      stopPings()
      for (const context of open) context.abort('the client is gone')
      closed(code, String(reason)).catch((error: unknown) => log.debug({ error }, 'a WebSocket could not be closed'))
    })
  })

  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', (error) => log.debug({ error }, 'an upgrade failed'))
    if (request.url?.split('?')[0] !== '/graphql') return refuseUpgrade(stream, '404 Not Found')
    if (!isAllowed(request)) return refuseUpgrade(stream, '403 Forbidden')
    if (sockets.clients.size >= limits.connections) return refuseUpgrade(stream, '503 Service Unavailable')
    sockets.handleUpgrade(request, stream, head, (socket) => sockets.emit('connection', socket, request))
  })

  return {
    async close() {
      for (const socket of sockets.clients) socket.close(1001, 'the node is shutting down')
      const closing = new Promise<void>((resolve) => sockets.close(() => resolve()))
      const timer = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate()
      }, 1_000)
      await closing
      clearTimeout(timer)
    },
  }
}

function argsOf(engine: Engine, payload: SubscribePayload, extra: Extra): ExecutionArgs | readonly GraphQLError[] {
  const { query, variables, operationName, extensions } = payload
  const operation = engine.resolve({ query, variables, operationName, extensions })
  if (!('node' in operation)) return operation
  const { document, name } = operation
  return { schema: engine.schema, document, operationName: name, contextValue: new Run(operation, payload, extra) }
}

function runOf<T>(carried: unknown, start: (run: Run) => T): T {
  if (carried instanceof Run) return start(carried)
  throw new TypeError('an operation reached its start without having been checked')
}

/** Runs a query or mutation within the time that any request has. */
async function answer(
  engine: Engine,
  { operation, variables, context, open }: Run,
  limits: Limits,
): Promise<ExecutionResult> {
  const { promise: late, resolve } = Promise.withResolvers<ExecutionResult>()
  const timer = setTimeout(() => {
    const message = `The request took longer than ${limits.timeoutSeconds} s. Ask for less at a time.`
    context.abort(message)
    resolve({ errors: [apiError('TIMEOUT', message)] })
  }, limits.timeoutSeconds * 1000)
  try {
    return await Promise.race([engine.run(operation, variables, context), late])
  } finally {
    clearTimeout(timer)
    open.delete(context)
  }
}

function refuseUpgrade(stream: Duplex, status: string): void {
  stream.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
}

/** Pings, and ends a socket that has not answered when the next ping is due: it is gone, or does not read. */
function keepAlive(socket: WebSocket): () => void {
  let answered = true
  socket.on('pong', () => {
    answered = true
  })
  const timer = setInterval(() => {
    if (!answered) return socket.terminate()
    answered = false
    socket.ping()
  }, PING_MS)
  timer.unref()
  return () => clearInterval(timer)
}
