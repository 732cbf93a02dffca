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

/** Subscribes once. Gives what ends it. */
export function attempt<Result>(
  connection: Connection,
  { query, variables, resume }: Asked,
  outcome: Outcome<Result>,
): () => void {
  let isOver = false
  const over = (report: () => void) => {
    if (isOver) return
    isOver = true
    report()
  }
  const dispose = connection.subscribe<Result>(
    { query, variables, ...(resume ? { extensions: { resume } } : {}) },
    {
      next: ({ data, errors, extensions }) => {
        if (isOver) return
        if (errors !== undefined && errors.length > 0) {
          over(() => outcome.onFailure(fromServer(errors as readonly ServerError[])))
          dispose()
        } else outcome.onResult(data ?? null, textIn(extensions, 'cursor'))
      },
      error: (error) => over(() => outcome.onFailure(Array.isArray(error) ? fromServer(error) : fromConnection(error))),
      complete: () => over(() => outcome.onEnd()),
    },
  )
  return () => {
    isOver = true
    dispose()
  }
}

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
