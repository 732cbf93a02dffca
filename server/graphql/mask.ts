import { PothosValidationError } from '@pothos/core'
import { GraphQLError } from 'graphql'
import { CANCELLED } from '../db/cancellable-statement.ts'
import { codeOf } from '../db/errors.ts'
import type { Log } from '../plugin.ts'
import { RequestEndedError } from './request-ended.ts'

const MAX_MESSAGE = 1_000
const databaseAway =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ENOENT|CONNECTION_CLOSED|CONNECTION_ENDED|CONNECTION_DESTROYED|CONNECT_TIMEOUT|57P0[123]|08...)$/

/**
 * Turns whatever went wrong into what the client may know. Errors with a code are meant for it. Everything else is
 * logged under the request's id, and only the id goes out.
 *
 * @param ownerOf tells which plugin's field it comes from, for the log
 */
export function publicError(
  error: unknown,
  requestId: string,
  log: Log,
  ownerOf: (error: GraphQLError) => string | undefined = () => undefined,
): GraphQLError {
  const located = error instanceof GraphQLError ? error : undefined
  const cause = causeOf(error)
  if (cause instanceof GraphQLError) {
    // graphql-jit's errors may have no extensions at all.
    const extensions: Readonly<Record<string, unknown>> | undefined = cause.extensions
    const code = extensions?.code
    if (typeof code === 'string') return shortened(located ?? cause, { ...extensions, code })
    // What the executor itself throws has locations; by its wording it is a mistake of the caller, or ours.
    if (cause.message.startsWith('Argument "')) return shortened(located ?? cause, { code: 'BAD_USER_INPUT' })
    if (cause.locations === undefined) return shortened(located ?? cause, { ...extensions, code: 'BAD_REQUEST' })
  }
  if (cause instanceof PothosValidationError) return restated(located, cause.message, { code: 'BAD_USER_INPUT' })
  if (databaseAway.test(codeOf(cause) ?? '')) {
    log.warn({ requestId, error: cause }, 'a request failed because the database does not answer')
    return restated(located, 'The database does not answer now. Try again in some seconds.', { code: 'UNAVAILABLE' })
  }
  if (cause instanceof RequestEndedError) {
    log.debug({ requestId, error: cause }, 'work for a request ended with it')
    return restated(located, `The request was given up: ${cause.message}.`, { code: 'CANCELLED' })
  }
  if (codeOf(cause) === CANCELLED) {
    log.debug({ requestId, error: cause }, 'a statement was cancelled with its request, or took too long')
    return restated(located, 'The database was told to stop working on this. Ask for less at a time, or try again.', {
      code: 'CANCELLED',
    })
  }
  const plugin = located === undefined ? undefined : ownerOf(located)
  log.error(
    { ...(plugin === undefined ? {} : { plugin }), requestId, path: located?.path?.join('.'), error: cause },
    'a request failed in an unexpected way',
  )
  return restated(located, `Something went wrong inside the node. Its log has more under ${requestId}.`, {
    code: 'INTERNAL_SERVER_ERROR',
    id: requestId,
  })
}

/** Request errors come from graphql-js without a code; this gives them one. */
export function withCode(error: GraphQLError, code: string): GraphQLError {
  return shortened(error, { code, ...error.extensions })
}

/** The innermost error: executors wrap what resolvers throw, to say where it happened. */
function causeOf(error: unknown): unknown {
  let cause = error
  for (let depth = 0; depth < 8 && cause instanceof GraphQLError && cause.originalError != null; depth++) {
    cause = cause.originalError
  }
  return cause
}

/** Some of graphql's messages quote the value that they refuse, which may be megabytes long. */
function shortened(error: GraphQLError, extensions: Record<string, unknown>): GraphQLError {
  const { message } = error
  return restated(error, message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}...` : message, extensions)
}

/** A new error at the same place, without the trace of the old one. */
function restated(error: GraphQLError | undefined, message: string, extensions: Record<string, unknown>): GraphQLError {
  const { nodes, source, positions, path } = error ?? {}
  const restatement = new GraphQLError(message, { nodes, source, positions, path, extensions })
  // The compiler's errors know where they are, and of no nodes.
  if (restatement.locations === undefined && error?.locations !== undefined)
    Object.defineProperty(restatement, 'locations', { value: error.locations, enumerable: true })
  return restatement
}
