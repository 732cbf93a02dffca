import type { Socket } from 'node:net'
import postgres from 'postgres'
import type { DatabaseOptions, Sql } from '../../plugin/sql.ts'
import { ConnectionError } from './connection-error.ts'
import { dial } from './dial.ts'
import { type HeldStatement, hold } from './held-statement.ts'
import { QuietSocket } from './quiet-socket.ts'
import { isRawStatement, type RawStatement } from './raw-statement.ts'
import { runOn } from './session-sql.ts'

/** The protocol's `Terminate`: the server need not tell its log of a lost connection. */
const GOODBYE = Buffer.from([0x58, 0, 0, 0, 4])
/** How long the server may take to answer that by the connection's end. */
const GOODBYE_MS = 1_000

export interface LaneOptions {
  readonly database: DatabaseOptions
  /** Whose options the connection shares: types, parameters of the session. */
  readonly maker: Sql
  /** Milliseconds within which the server must greet. */
  readonly connectMs: number
  readonly onGreeted?: () => void
  /** Called once when the connection has ended, for whatever reason; after its statements have heard of it. */
  readonly onClosed: (lane: Lane) => void
  readonly onNotify?: (channel: string, payload: string) => void
}

/**
 * One connection to the database. postgres.js speaks on it; when it ends, all its statements fail at once, and nothing
 * is used again, neither the connection nor what postgres.js remembers of it.
 */
export class Lane {
  readonly openedAt = performance.now()
  readonly #options: LaneOptions
  readonly #held = new Set<HeldStatement>()
  readonly #attempt = new AbortController()
  readonly #closed = Promise.withResolvers<void>()
  readonly #handler: RawStatement['handler']
  readonly #timer: NodeJS.Timeout
  #socket: Socket | undefined
  #quiet: QuietSocket | undefined
  #error: Error | undefined
  #isGreeted = false

  constructor(options: LaneOptions) {
    this.#options = options
    // If this process was held up, the greeting may have come and not been read: it has its turn first.
    this.#timer = setTimeout(() => setImmediate(() => this.#giveUp()), options.connectMs)
    const socket = this.#connect()
    // Its failure has ended the lane already.
    socket.catch(() => undefined)
    this.#handler = speaker(options, () => socket, this.#greeted)
  }

  /** Why it has ended; undefined while it can be used. */
  get error(): Error | undefined {
    return this.#error
  }

  /** Whether the server has let us in. */
  get isGreeted(): boolean {
    return this.#isGreeted
  }

  /** Resolves when it has ended, and its socket is closed. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /**
   * Sends a statement, behind those that were sent before.
   * @param over called when it has its answer, before the one who waits for it hears of it
   */
  run(statement: RawStatement, over: () => void = () => undefined): void {
    if (this.#error !== undefined) {
      over()
      return statement.reject(this.#error)
    }
    const held = hold(statement, (error) => {
      this.#held.delete(held)
      if (error !== undefined) this.#goOnAfter(error)
      over()
    })
    this.#held.add(held)
    this.#handler(statement)
  }

  /** Makes sure that the next statement gets its own rows, whatever came of the one that failed. */
  #goOnAfter(error: unknown): void {
    // After what the server did not say itself (a value that cannot be sent, a stream that was left) nobody knows what
    // still comes.
    if (!isRefusal(error)) return this.destroy(error instanceof Error ? error : closedByPeer())
    // Rows that came before the error stay counted in postgres.js until a statement completes, and the next answer would
    // begin with as many holes (seen in 3.4.9). In a transaction this fails too, without rows, and a rollback follows.
    runOn(this.#options.maker, this.#handler, 'select').then(ignore, ignore)
  }

  /** Calls `fail` with the error if it ends, at once if it has. Returns how to forget it. */
  remember(fail: (error: Error) => void): () => void {
    const held = { fail }
    if (this.#error === undefined) this.#held.add(held)
    else fail(this.#error)
    return () => this.#held.delete(held)
  }

  /** Says goodbye to the server. To be called when nothing runs. */
  end(): void {
    const socket = this.#socket
    if (socket?.writable === true) {
      socket.end(GOODBYE)
      const timer = setTimeout(() => socket.destroy(), GOODBYE_MS)
      socket.once('close', () => clearTimeout(timer))
    }
    this.destroy(new ConnectionError('CONNECTION_ENDED', 'the connection was ended: nothing needed it'))
  }

  /** Ends it at once: its statements fail with the error. */
  destroy(error: Error): void {
    if (this.#error !== undefined) return
    this.#error = error
    clearTimeout(this.#timer)
    this.#attempt.abort(error)
    this.#quiet?.silence()
    const socket = this.#socket
    if (socket === undefined || socket.destroyed) this.#closed.resolve()
    else if (!socket.writableEnded) socket.destroy()
    for (const held of [...this.#held]) held.fail(error)
    this.#options.onClosed(this)
  }

  async #connect(): Promise<QuietSocket> {
    try {
      const socket = await dial(this.#options.database, this.#attempt.signal)
      if (this.#error !== undefined) {
        // It was ended between the two.
        socket.destroy()
        throw this.#error
      }
      this.#socket = socket
      const over = (): void => this.destroy(closedByPeer())
      const quiet = new QuietSocket(socket, over)
      this.#quiet = quiet
      socket.on('error', (error) => this.destroy(error))
      // Nothing can come any more.
      socket.on('end', over)
      socket.on('close', () => {
        over()
        this.#closed.resolve()
      })
      return quiet
    } catch (error) {
      this.destroy(error instanceof Error ? error : closedByPeer())
      throw error
    }
  }

  #giveUp(): void {
    if (!this.#isGreeted) this.destroy(tooLate(this.#options.connectMs))
  }

  readonly #greeted = (): void => {
    if (this.#isGreeted) return
    this.#isGreeted = true
    clearTimeout(this.#timer)
    this.#options.onGreeted?.()
  }
}

/** What takes statements for a connection, which postgres.js asks for when the first comes. */
function speaker(
  { maker, onNotify }: LaneOptions,
  socket: () => Promise<QuietSocket>,
  onGreeted: () => void,
): RawStatement['handler'] {
  // The maker's options stay visible, also those that are set later.
  const options = Object.assign(Object.create(maker.options), {
    socket,
    ssl: false,
    max: 1,
    // The lane's own affairs.
    connect_timeout: 0,
    idle_timeout: 0,
    max_lifetime: 0,
    no_subscribe: true,
    onclose: undefined,
    onnotify: onNotify,
    // The server tells its parameters once it has let us in.
    parameters: {},
    onparameter: onGreeted,
  })
  const statement: unknown = postgres(options).unsafe('')
  if (!isRawStatement(statement)) throw new TypeError('statements of postgres.js are not as they were')
  return statement.handler
}

const ignore = (): void => undefined

/** The server refused a statement, and goes on. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Error && 'severity' in error && error.severity === 'ERROR'

const closedByPeer = (): Error => new ConnectionError('CONNECTION_CLOSED', 'the connection to the database was closed')

const tooLate = (ms: number): Error =>
  new ConnectionError('CONNECT_TIMEOUT', `the database did not let us in within ${ms / 1000} s`)
