import type { Client as Connection } from 'graphql-ws/client'
import { attempt, type Failure } from './attempt.ts'
import type { TypedDocument } from './document.ts'
import type { ClientError } from './errors.ts'
import { MAX_WAITING, Stream } from './stream.ts'

/** How a subscription is followed. */
export interface FollowOptions {
  readonly signal?: AbortSignal | undefined
  /**
   * Milliseconds for which a stream of events that was cut is tried again before it throws DISCONNECTED; 60,000 if
   * absent, 0 to leave resuming to the caller.
   */
  readonly patience?: number | undefined
  /** Called before each try to go on, with the reason. */
  readonly onResume?: ((cause: ClientError) => void) | undefined
}

const PATIENCE = 60_000
/** Milliseconds between two tries, to begin with and at most. */
const SHORTEST_PAUSE = 50
const LONGEST_PAUSE = 2_000

/** What is followed over a connection, so that all of it can be ended from there. */
export type Followed = Set<{ end(): void }>

/**
 * Subscribes; when a stream of events is cut, again behind the last one that came, so that none is missing or doubled.
 * @param followed has it until its end
 */
export function follow<Result, Variables extends object>(
  connection: Connection,
  followed: Followed,
  document: TypedDocument<Result, Variables>,
  variables: Variables,
  options: FollowOptions,
): Stream<Result> {
  options.signal?.throwIfAborted()
  const given = new Map(Object.entries(variables))
  const following = new Following<Result>(connection, followed, document.toString(), given, options)
  followed.add(following)
  following.begin()
  return following.stream
}

class Following<Result> {
  readonly stream: Stream<Result> = new Stream(() => this.#leave())
  readonly #connection: Connection
  readonly #followed: Followed
  readonly #query: string
  readonly #variables: Map<string, unknown>
  readonly #options: FollowOptions
  /** The variable for where to begin; without it, there is no going on. */
  readonly #cursorVariable: string | undefined
  /** Since when nothing came, and how long the next pause is. */
  #since: number | undefined
  #pause = SHORTEST_PAUSE
  #stop: (() => void) | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #onAbort = () => {
    this.stream.fail(this.#options.signal?.reason)
    this.#leave()
  }

  constructor(
    connection: Connection,
    followed: Followed,
    query: string,
    variables: Map<string, unknown>,
    options: FollowOptions,
  ) {
    this.#connection = connection
    this.#followed = followed
    this.#query = query
    this.#variables = variables
    this.#options = options
    this.#cursorVariable = options.patience === 0 ? undefined : cursorVariableOf(query)
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  begin(): void {
    const resume = this.#cursorVariable !== undefined
    this.#stop = attempt<Result>(
      this.#connection,
      { query: this.#query, variables: Object.fromEntries(this.#variables), resume },
      {
        onResult: (data, cursor) => {
          this.#since = undefined
          this.#pause = SHORTEST_PAUSE
          this.#note(cursor)
          if (data !== null) this.stream.push(data)
          if (this.#cursorVariable !== undefined && cursor !== undefined) this.#pauseIfFull()
        },
        onFailure: (failure) => this.#onFailure(failure),
        onEnd: () => this.end(),
      },
    )
  }

  /** Nothing more comes, nor is it taken up again. What waits can still be read. */
  end(): void {
    this.stream.end()
    this.#leave()
  }

  #onFailure({ error, cursor, isPassing }: Failure): void {
    const { patience = PATIENCE, onResume } = this.#options
    const now = Date.now()
    this.#since ??= now
    if (this.#cursorVariable === undefined || !isPassing || now - this.#since >= patience) {
      this.stream.fail(error)
      this.#leave()
      return
    }
    this.#note(cursor)
    // Not all clients of a node that was restarted come back in the same instant.
    const pause = this.#pause * (0.5 + Math.random())
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE)
    this.#timer = setTimeout(() => {
      onResume?.(error)
      this.begin()
    }, pause)
  }

  /** A WebSocket cannot be told to wait: it is left, and taken up again when all that came was read. */
  #pauseIfFull(): void {
    if (this.stream.waiting < MAX_WAITING / 2) return
    this.#stop?.()
    this.#stop = undefined
    this.stream.onEmpty = () => this.begin()
  }

  #note(cursor: string | undefined): void {
    if (cursor !== undefined && this.#cursorVariable !== undefined) this.#variables.set(this.#cursorVariable, cursor)
  }

  #leave(): void {
    this.#followed.delete(this)
    this.stream.onEmpty = undefined
    clearTimeout(this.#timer)
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#stop?.()
  }
}

/** The variable that a document passes as the argument `after`; a document that has several is not a stream of events. */
function cursorVariableOf(query: string): string | undefined {
  if (!/\bsubscription\b/.test(query)) return undefined
  const found = [...query.matchAll(/\bafter\s*:\s*\$(\w+)/g)]
  return found.length === 1 ? found[0]?.[1] : undefined
}
