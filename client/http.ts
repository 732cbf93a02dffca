import { within } from './deadline.ts'
import type { TypedDocument } from './document.ts'
import { ClientError } from './errors.ts'
import type { SeenHeights } from './heights.ts'

/** How to reach a server. */
export interface Endpoint {
  readonly url: string
  readonly fetch: typeof fetch
  readonly headers: Readonly<Record<string, string>>
  /** Milliseconds that one request may take. */
  readonly timeout: number
  /** What was seen there before; no answer is older. */
  readonly seen: SeenHeights
}

/** An error as GraphQL servers answer it. */
export interface ServerError {
  readonly message: string
  readonly extensions?: { readonly code?: unknown }
}

interface Response {
  readonly data?: unknown
  readonly extensions?: { readonly height?: unknown }
  readonly errors?: readonly ServerError[]
}

/** Statuses that say nothing about the request: another try may go through. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504])

/** Bytes of an answer at most, far more than a node gives: whoever sends without end takes no more memory than that. */
const MAX_ANSWER = 64 * 1024 * 1024

/**
 * Asks once.
 * @throws ClientError UNREACHABLE, TIMEOUT, BAD_RESPONSE or GRAPHQL; the signal's reason.
 */
export async function request<Result, Variables>(
  endpoint: Endpoint,
  document: TypedDocument<Result, Variables>,
  variables: Variables,
  signal?: AbortSignal,
): Promise<Result> {
  return within(endpoint.timeout, signal, async (limited) => {
    const { atLeast } = endpoint.seen
    const extensions = atLeast && { atLeastHeight: atLeast }
    const body = JSON.stringify({ query: document.toString(), variables, extensions })
    const { status, text } = await post(endpoint, body, limited)
    return result(text, status, endpoint.seen)
  })
}

async function post(endpoint: Endpoint, body: string, signal: AbortSignal) {
  try {
    const response = await endpoint.fetch(endpoint.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...endpoint.headers },
      body,
      signal,
    })
    return { status: response.status, text: await textOf(response) }
  } catch (error) {
    if (error instanceof ClientError) throw error
    throw new ClientError('UNREACHABLE', `${endpoint.url} cannot be reached: is the node running?`, { cause: error })
  }
}

/** @throws ClientError BAD_RESPONSE if there is too much of it */
async function textOf(response: globalThis.Response): Promise<string> {
  const reader = response.body?.getReader()
  // Not every platform gives an answer in pieces.
  if (reader === undefined) return response.text()
  const decoder = new TextDecoder()
  let text = ''
  for (let size = 0; ; ) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    size += value.length
    if (size > MAX_ANSWER) {
      await reader.cancel()
      throw new ClientError('BAD_RESPONSE', `the answer has more than ${MAX_ANSWER} bytes: ask for less at a time`)
    }
    text += decoder.decode(value, { stream: true })
  }
}

/** Codes of a server that cannot answer now: nothing was done, and another try may go through. */
const PASSING_CODES = new Set([
  'DATABASE_UNAVAILABLE',
  'DRAINING',
  'HEIGHT_NOT_REACHED',
  'LEDGER_NOT_STARTED',
  'NOT_LISTED_YET',
  'OVERLOADED',
  'RATE_LIMITED',
  'SHARD_BUSY',
  'SHARD_UNAVAILABLE',
  'UNAVAILABLE',
  'VERIFIER_CRASHED',
])

/** The first of some errors as one of ours. */
export function graphqlError(errors: readonly ServerError[]): ClientError {
  const [first] = errors
  const code = first?.extensions?.code
  const reason = typeof code === 'string' ? code : undefined
  const message = errors.map((error) => error?.message).join('; ')
  if (reason === 'TRANSACTION_UNKNOWN') return new ClientError('TRANSACTION_UNKNOWN', message, { reason })
  const passing = reason !== undefined && PASSING_CODES.has(reason)
  return new ClientError(passing ? 'UNREACHABLE' : 'GRAPHQL', message, { reason, cause: errors })
}

function result<Result>(text: string, status: number, seen: SeenHeights): Result {
  const response = parse(text)
  seen.noteAll(response?.extensions?.height)
  const errors = Array.isArray(response?.errors) ? response.errors : []
  if (errors.length > 0) throw graphqlError(errors)
  if (PASSING.has(status)) throw new ClientError('UNREACHABLE', `the server answered with status ${status}`)
  if (response?.data === undefined || response.data === null) {
    throw new ClientError('BAD_RESPONSE', `status ${status}, and no GraphQL result: is the address that of /graphql?`)
  }
  // The server validated the document against its schema, which the result type was made from.
  return response.data as Result
}

function parse(text: string): Response | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
