import { toHex } from '../protocol/index.ts'
import { delay } from './delay.ts'
import { ClientError, isClientError } from './errors.ts'
import { type Endpoint, request } from './http.ts'
import {
  type AcceptedResult,
  type SubmissionResult,
  submitAllMutation,
  submitMutation,
  type TransactionStatus,
  type Wait,
} from './operations.ts'

/** What became of a submission that was taken. */
export interface Accepted {
  readonly status: TransactionStatus
  /** It was known before: nothing was done twice. */
  readonly duplicate: boolean
  /** Where it was included, once it was. */
  readonly at: { readonly shard: string; readonly height: number } | undefined
}

/** What became of one of many submissions. */
export type Outcome =
  | ({ readonly kind: 'accepted' } & Accepted)
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }

export interface SubmitOptions {
  /** How long the server waits before it answers, 10 s at most. */
  readonly wait?: Wait
  readonly signal?: AbortSignal
}

/** How often the same bytes are sent before a server counts as away, and the milliseconds between. */
const ATTEMPTS = 6
const FIRST_PAUSE = 100

/**
 * Submits a signed transaction, again if there is no answer: the same bytes are the same transaction, so it is executed
 * once however often they arrive.
 * @throws ClientError REFUSED; UNREACHABLE or TIMEOUT after several attempts: then nobody knows, and the same bytes may
 *   be submitted again.
 */
export async function submit(endpoint: Endpoint, wire: Uint8Array, options: SubmitOptions): Promise<Accepted> {
  const variables = { transaction: toHex(wire), wait: options.wait ?? 'INCLUDED' }
  const { submitTransaction } = await insist(
    () => request(endpoint, submitMutation, variables, options.signal),
    options.signal,
  )
  if (submitTransaction.__typename === 'TransactionRefused') throw refusedError(submitTransaction)
  return noting(endpoint, accepted(submitTransaction))
}

/** Submits many, as `submit` does; one outcome each, in the same order. */
export async function submitAll(
  endpoint: Endpoint,
  wires: readonly Uint8Array[],
  options: SubmitOptions,
): Promise<Outcome[]> {
  const variables = { transactions: wires.map(toHex), wait: options.wait ?? 'NONE' }
  const { submitTransactions } = await insist(
    () => request(endpoint, submitAllMutation, variables, options.signal),
    options.signal,
  )
  const outcomes = submitTransactions.map(outcomeOf)
  for (const outcome of outcomes) if (outcome.kind === 'accepted') noting(endpoint, outcome)
  return outcomes
}

/** What is read after this is no older. */
function noting(endpoint: Endpoint, outcome: Accepted): Accepted {
  if (outcome.at !== undefined) endpoint.seen.note(outcome.at.shard, outcome.at.height)
  return outcome
}

/** The outcome of a submission as the server answers it. */
function outcomeOf(result: SubmissionResult): Outcome {
  if (result.__typename === 'TransactionRefused') {
    return { kind: 'refused', code: result.code, message: result.message }
  }
  return { kind: 'accepted', ...accepted(result) }
}

/** What the server answers about a submission that was taken. */
export function accepted({ duplicate, transaction, at }: AcceptedResult): Accepted {
  return {
    status: transaction.status,
    duplicate,
    at: at === null ? undefined : { shard: at.shard, height: Number(at.height) },
  }
}

/** A refusal as an error. */
export function refusedError(refused: { readonly code: string; readonly message: string }): ClientError {
  return new ClientError('REFUSED', `${refused.code}: ${refused.message}`, { reason: refused.code })
}

/** Repeats what can be repeated without harm while the server is away. */
async function insist<T>(attempt: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  for (let tried = 1, pause = FIRST_PAUSE; ; tried++, pause *= 2) {
    try {
      return await attempt()
    } catch (error) {
      if (tried === ATTEMPTS || !isClientError(error, 'UNREACHABLE', 'TIMEOUT')) throw error
      await delay(pause, signal)
    }
  }
}
