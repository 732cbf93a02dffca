import type { Client as Connection } from 'graphql-ws/client'
import { ClientError } from './errors.ts'
import { graphqlError, type ServerError } from './http.ts'

/** Why a subscription ended, and what can be done about it. */
export interface Failure {
  readonly error: ClientError
  /** Where the server says to go on. */
  readonly cursor: string | undefined
  /** Whether it may go better later. */
  readonly isPassing: boolean
}

/** What becomes of one try. One of the last two is called once, at its end. */
export interface Outcome<Result> {
  onResult(data: Result | null, cursor: string | undefined): void
  onFailure(failure: Failure): void
  onEnd(): void
}

export interface Asked {
  readonly query: string
  readonly variables: Record<string, unknown>
  /** Whether to ask the server to tell its place with each result. */
  readonly resume: boolean
}

/** Ends that say nothing about the subscription itself. */
const PASSING = new Set(['DRAINING', 'SLOW_CONSUMER', 'UNAVAILABLE', 'TOO_MANY_SUBSCRIPTIONS'])
/** The protocol's codes for what will not go better another time. */
const FATAL = new Set([4400, 4401, 4403, 4406, 4409, 4429])

/** The code of a WebSocket that was closed as one wanted it to be. */
const NORMAL = 1000

/**
 * Subscribes once. Gives what ends it.
 *
 * graphql-ws counts who uses its connection, and closes it when nobody does. Two of its ways are seen to here:
 * - An operation that is left within the handler of one message is counted twice if the next message, which came in
 *   the same piece, completes it; the connection is then closed under the others. So it is left in the next microtask.
 * - When the other side closes the connection with code 1000, it subscribes again by itself, with the variables of
 *   the beginning: a stream of events would come twice. So the end of the connection ends what has begun to come.
 */
export function attempt<Result>(
  connection: Connection,
  { query, variables, resume }: Asked,
  outcome: Outcome<Result>,
): () => void {
  let isOver = false
  let hasBegun = false
  const leave = () => queueMicrotask(() => dispose())
  const over = (report: () => void) => {
    if (isOver) return
    isOver = true
    unlisten()
    report()
  }
  const unlisten = connection.on('closed', (event) => {
    if (!hasBegun || codeOf(event) !== NORMAL) return
    over(() => outcome.onFailure(fromConnection(event)))
    leave()
  })
  const dispose = connection.subscribe<Result>(
    { query, variables, ...(resume ? { extensions: { resume } } : {}) },
    {
      next: ({ data, errors, extensions }) => {
        if (isOver) return
        hasBegun = true
        if (errors !== undefined && errors.length > 0) {
          over(() => outcome.onFailure(fromServer(errors as readonly ServerError[])))
          leave()
        } else outcome.onResult(data ?? null, textIn(extensions, 'cursor'))
      },
      error: (error) => over(() => outcome.onFailure(Array.isArray(error) ? fromServer(error) : fromConnection(error))),
      complete: () => over(() => outcome.onEnd()),
    },
  )
  return () => {
    isOver = true
    unlisten()
    leave()
  }
}

const codeOf = (event: unknown): unknown =>
  typeof event === 'object' && event !== null && 'code' in event ? event.code : undefined

function fromServer(errors: readonly ServerError[]): Failure {
  const extensions = errors[0]?.extensions
  return {
    error: graphqlError(errors),
    cursor: textIn(extensions, 'cursor'),
    isPassing: PASSING.has(textIn(extensions, 'code') ?? ''),
  }
}

function fromConnection(error: unknown): Failure {
  if (typeof error === 'object' && error !== null && 'code' in error && 'reason' in error) {
    const { code, reason } = error
    return {
      error: new ClientError('DISCONNECTED', `the connection was closed (${String(code)}): subscribe again`, {
        reason: typeof reason === 'string' && reason !== '' ? reason : undefined,
        cause: error,
      }),
      cursor: undefined,
      isPassing: typeof code !== 'number' || !FATAL.has(code),
    }
  }
  const message = 'the connection failed: is the node running?'
  return { error: new ClientError('DISCONNECTED', message, { cause: error }), cursor: undefined, isPassing: true }
}

function textIn(values: unknown, key: string): string | undefined {
  const found =
    typeof values === 'object' && values !== null ? Object.entries(values).find(([name]) => name === key) : []
  return typeof found?.[1] === 'string' ? found[1] : undefined
}
