import type { Duplex } from 'node:stream'
import { GraphQLError } from 'graphql'
import { CloseCode, MessageType, parseMessage, type SubscribeMessage } from 'graphql-ws'
import type { WebSocket } from 'ws'
import { ANONYMOUS, apiError, type Principal } from '../../../schema/index.ts'
import type { Log } from '../../plugin.ts'
import type { Authenticate, Credentials } from '../authenticate.ts'
import type { Operation } from '../documents.ts'
import type { Engine } from '../engine.ts'
import type { Limits } from '../limits.ts'
import { Reader } from '../live/index.ts'
import { documentIdOf, tooDeep } from '../params.ts'
import { RequestContext } from '../request-context.ts'
import type { Held, Holders } from '../share.ts'
import { Outbox, Outgoing } from './outbox.ts'
import type { Turns } from './turns.ts'

/** Milliseconds until the first message must have come. */
const INIT_MS = 5_000
/** Answers that a client has not read yet. Each subscription waits for its own; pongs and errors do not. */
const MAX_BUFFERED = 16 << 20
/** Bytes of a message of somebody who has not been let in. */
const MAX_GREETING = 64 << 10
/** Characters of an operation's id. */
const MAX_ID = 128
/** Characters of a ping that gets its payload back. */
const MAX_ECHO = 256
/** Milliseconds between two pings of a client that keeps its connection alive, at least. */
const PING_MS = 1_000

export interface ConnectionParts {
  readonly engine: Engine
  readonly limits: Limits
  readonly log: Log
  readonly authenticate: Authenticate
  readonly turns: Turns
}

/** What it has of what all clients share. */
export interface ConnectionShares {
  /** Of the memory for answers that clients have not read. */
  readonly unread: Held
  /** Whom its subscriptions are counted for. */
  readonly holders: Holders
}

/** What can be ended by the client before it is done. */
interface Running {
  stop(): void
}

/** One client's WebSocket, by the graphql-transport-ws protocol. */
export class Connection {
  readonly #socket: WebSocket
  readonly #stream: Duplex
  readonly #parts: ConnectionParts
  #credentials: Credentials
  readonly #outbox: Outbox
  readonly #running = new Map<string, Running>()
  readonly #patience: NodeJS.Timeout
  #principal: Principal = ANONYMOUS
  #nextPing = 0
  #isCounting = false
  #state: 'new' | 'initialising' | 'ready' = 'new'

  readonly #unread: Held

  readonly #holders: Holders

  /** @param stream the socket below it */
  constructor(
    socket: WebSocket,
    stream: Duplex,
    credentials: Credentials,
    { unread, holders }: ConnectionShares,
    parts: ConnectionParts,
  ) {
    this.#unread = unread
    this.#holders = holders
    this.#socket = socket
    this.#stream = stream
    this.#credentials = credentials
    this.#parts = parts
    this.#outbox = new Outbox(stream, parts.turns)
    this.#patience = setTimeout(
      () => this.#close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout'),
      INIT_MS,
    )
    this.#patience.unref()
  }

  /** Whose it is, by access; undefined until that is known. */
  get access(): string | undefined {
    return this.#state === 'ready' ? this.#principal.access : undefined
  }

  /** Bytes that a message of the client may have. */
  get mostBytes(): number {
    const { bodyBytes, messageBytes } = this.#parts.limits
    if (this.#state !== 'ready') return Math.min(MAX_GREETING, messageBytes)
    return this.#principal.kind === 'anonymous' ? Math.min(messageBytes, bodyBytes) : bodyBytes
  }

  /** Takes a message of the client. Never throws: whatever it is, only this connection may end by it. */
  receive(text: string): void {
    // What comes after it was closed is not for anybody.
    if (this.#socket.readyState !== this.#socket.OPEN) return
    try {
      this.#receive(text)
    } catch (error) {
      this.#broken(error)
    }
  }

  #receive(text: string): void {
    if (this.#stream.writableLength > MAX_BUFFERED) return this.#socket.terminate()
    const message = parsed(text)
    switch (message?.type) {
      case MessageType.ConnectionInit:
        return this.#initialise(message.payload ?? {})
      case MessageType.Ping:
        return this.#pong(text.length > MAX_ECHO ? undefined : message.payload)
      case MessageType.Pong:
        return
      case MessageType.Subscribe:
        return this.#subscribe(message)
      case MessageType.Complete:
        return this.#stop(message.id)
      default:
        return this.#close(CloseCode.BadRequest, 'Invalid message received')
    }
  }

  /** Writes what its subscriptions have said last, and closes it: who opened it may not any more. */
  revoke(): void {
    this.#outbox.flush()
    this.#close(CloseCode.Forbidden, 'Forbidden')
  }

  /** The socket is closed. */
  closed(): void {
    clearTimeout(this.#patience)
    this.#outbox.close()
    this.#unread.set(0)
    for (const running of this.#running.values()) running.stop()
    this.#running.clear()
  }

  #initialise(parameters: Readonly<Record<string, unknown>>): void {
    if (this.#state !== 'new')
      return this.#close(CloseCode.TooManyInitialisationRequests, 'Too many initialisation requests')
    this.#state = 'initialising'
    clearTimeout(this.#patience)
    const { authorization = this.#credentials.authorization } = parameters
    if (authorization !== undefined && typeof authorization !== 'string')
      return this.#close(CloseCode.Forbidden, 'Forbidden')
    this.#credentials = { ...this.#credentials, authorization }
    this.#do(async () => {
      try {
        this.#principal = await this.#parts.authenticate(this.#credentials)
      } catch (error) {
        if (error instanceof GraphQLError) return this.#close(CloseCode.Forbidden, 'Forbidden')
        throw error
      }
      this.#state = 'ready'
      this.#send({ type: MessageType.ConnectionAck })
    })
  }

  /** Answers a ping. More than one a second count as requests do: whoever asks too often gets no answer. */
  #pong(payload: Readonly<Record<string, unknown>> | null | undefined): void {
    const now = performance.now()
    const isFree = now >= this.#nextPing
    if (isFree) this.#nextPing = now + PING_MS
    const answer = () => this.#send({ type: MessageType.Pong, ...(payload == null ? {} : { payload }) })
    const known = isFree ? this.#principal : this.#whoAsks(() => undefined)
    if (known instanceof Promise) this.#do(async () => void ((await known) !== undefined && answer()))
    else if (known !== undefined) answer()
  }

  #subscribe({ id, payload }: SubscribeMessage): void {
    if (this.#state !== 'ready') return this.#close(CloseCode.Unauthorized, 'Unauthorized')
    if (this.#running.has(id))
      return this.#close(CloseCode.SubscriberAlreadyExists, 'Subscriber for this id already exists')
    // Who asks comes first: nothing is read for those who ask too often.
    const known = this.#whoAsks((errors) => this.#send({ id, type: MessageType.Error, payload: errors }))
    if (known === undefined) return
    const limit = this.#parts.limits.subscriptionsPerConnection
    if (this.#running.size >= limit) return this.#send({ id, type: MessageType.Error, payload: [tooMany(limit)] })
    if (!(known instanceof Promise)) return this.#begin(id, payload, known)
    const waiting: Running = { stop: () => undefined }
    this.#running.set(id, waiting)
    this.#do(async () => {
      const principal = await known
      if (this.#running.get(id) !== waiting) return
      this.#running.delete(id)
      if (principal !== undefined) this.#begin(id, payload, principal)
    })
  }

  /**
   * Who asks, judged again for each operation: a socket must not outlive its key, nor get around the key's rate.
   * Undefined for somebody who was refused.
   * @param tell called with why, unless the credentials are not good any more: then the connection is closed
   */
  #whoAsks(tell: (errors: readonly GraphQLError[]) => void): Principal | undefined | Promise<Principal | undefined> {
    const refuse = (error: unknown): undefined => {
      if (!(error instanceof GraphQLError)) throw error
      if (error.extensions.code === 'UNAUTHENTICATED') this.revoke()
      else tell([error])
      return undefined
    }
    try {
      const known = this.#parts.authenticate(this.#credentials)
      return known instanceof Promise ? known.catch(refuse) : known
    } catch (error) {
      return refuse(error)
    }
  }

  #begin(id: string, payload: SubscribeMessage['payload'], principal: Principal): void {
    const { query, variables, operationName, extensions } = payload
    const deep = tooDeep(payload)
    const asked = { query, documentId: documentIdOf(payload), variables, operationName, extensions }
    const operation = deep === undefined ? this.#parts.engine.resolve(asked) : [apiError('BAD_REQUEST', deep)]
    if ('node' in operation) this.#start(id, operation, payload, principal)
    else this.#send({ id, type: MessageType.Error, payload: operation })
  }

  #start(id: string, operation: Operation, payload: SubscribeMessage['payload'], principal: Principal): void {
    const context = new RequestContext(payload.extensions ?? {}, principal)
    context.holders = this.#holders
    const running: Running = { stop: () => context.abort('the client is gone') }
    this.#running.set(id, running)
    const isWanted = () => this.#running.get(id) === running
    if (operation.node.operation === 'subscription')
      this.#do(() => this.#follow(id, operation, payload, context, isWanted))
    else this.#do(() => this.#answer(id, operation, payload, context, isWanted))
  }

  async #follow(
    id: string,
    operation: Operation,
    { variables }: SubscribeMessage['payload'],
    context: RequestContext,
    isWanted: () => boolean,
  ): Promise<void> {
    const opened = await this.#parts.engine.open(operation, variables, context)
    if (!isWanted()) {
      if (opened instanceof Reader) opened.close()
      return
    }
    if (!(opened instanceof Reader)) return this.#finish(id, opened)
    const outgoing = new Outgoing(id, opened, () => this.#running.delete(id))
    this.#running.set(id, { stop: () => opened.close() })
    opened.onReady = () => this.#outbox.add(outgoing)
    this.#outbox.add(outgoing)
  }

  async #answer(
    id: string,
    operation: Operation,
    { variables }: SubscribeMessage['payload'],
    context: RequestContext,
    isWanted: () => boolean,
  ): Promise<void> {
    const { engine, limits } = this.#parts
    const { promise: late, resolve } = Promise.withResolvers<{ errors: readonly GraphQLError[] }>()
    const timer = setTimeout(() => {
      const message = `The request took longer than ${limits.timeoutSeconds} s. Ask for less at a time.`
      context.abort(message)
      resolve({ errors: [apiError('TIMEOUT', message)] })
    }, limits.timeoutSeconds * 1000)
    try {
      const result = await Promise.race([engine.run(operation, variables, context), late])
      if (isWanted()) this.#finish(id, result)
    } finally {
      clearTimeout(timer)
    }
  }

  /** A single result, and the end. */
  #finish(id: string, payload: object): void {
    this.#send({ id, type: MessageType.Next, payload })
    this.#send({ id, type: MessageType.Complete })
    this.#running.delete(id)
  }

  #stop(id: string): void {
    const running = this.#running.get(id)
    this.#running.delete(id)
    running?.stop()
  }

  #send(message: object): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    // Many answers may have been asked for before the first was there.
    if (this.#stream.writableLength > MAX_BUFFERED) return this.#socket.terminate()
    this.#socket.send(JSON.stringify(message))
    if (this.#stream.writableNeedDrain) this.#countUnread()
  }

  /** Counts answers that wait for the client in what all clients may have together. */
  #countUnread(): void {
    if (!this.#unread.set(this.#stream.writableLength)) return this.#socket.terminate()
    if (this.#isCounting) return
    this.#isCounting = true
    this.#stream.once('drain', () => {
      this.#isCounting = false
      this.#unread.set(0)
    })
  }

  #close(code: CloseCode, reason: string): void {
    this.#outbox.close()
    this.#socket.close(code, reason)
  }

  #do(work: () => Promise<void>): void {
    work().catch((error: unknown) => this.#broken(error))
  }

  #broken(error: unknown): void {
    this.#parts.log.error({ error }, 'a WebSocket broke while it was answered')
    this.#close(CloseCode.InternalServerError, 'Internal server error')
  }
}

function parsed(text: string): ReturnType<typeof parseMessage> | undefined {
  try {
    const message = parseMessage(text)
    return 'id' in message && message.id.length > MAX_ID ? undefined : message
  } catch {
    // What is not a message of the protocol closes the connection; why it is none is the client's business.
    return undefined
  }
}

const tooMany = (limit: number): GraphQLError =>
  apiError(
    'TOO_MANY_SUBSCRIPTIONS',
    `This connection has ${limit} operations open already. End one, or open another connection.`,
    { limit },
  )
