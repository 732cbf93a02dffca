import type { LoadPlan } from './plan.ts'
import type { SubmissionForm } from './request.ts'

/** Two: what the smallest machine has that is worth measuring. */
export const SIGNING_THREADS = 2

/** What a load generator is to send. */
export interface LoadSetup {
  readonly plan: LoadPlan
  readonly form: SubmissionForm
}

/** What the process that makes load is told. It answers each in turn. */
export type LoadRequest =
  | { readonly kind: 'open'; readonly setup: LoadSetup }
  /** Signs until so many transactions are ready to be sent. */
  | { readonly kind: 'sign'; readonly transactions: number }
  /** Each connection sends its next request when the last one was answered. */
  | { readonly kind: 'flood'; readonly connections: number; readonly seconds: number }
  /** Requests go out at their times, answered or not: nothing that is slow can hide by slowing the load down. */
  | { readonly kind: 'pace'; readonly perSecond: number; readonly seconds: number; readonly warmSeconds: number }
  /** One request at a time, with a pause of random length before each. */
  | { readonly kind: 'single'; readonly count: number; readonly pauseMs: number }
  /** Always the same bytes to another port: what HTTP and the generator itself can do. */
  | { readonly kind: 'same'; readonly port: number; readonly connections: number; readonly seconds: number }
  | { readonly kind: 'acknowledged' }
  | { readonly kind: 'sample' }

/** The answers, by kind. */
export interface LoadAnswers {
  readonly open: null
  readonly sign: { readonly ready: number; readonly ms: number }
  readonly flood: LoadResult
  readonly pace: LoadResult
  readonly single: LoadResult
  readonly same: LoadResult
  /** Ids of all transactions that any answer acknowledged, 32 bytes each. */
  readonly acknowledged: Uint8Array
  /** The first request that was answered, and its answer's body. */
  readonly sample: { readonly request: Uint8Array; readonly answer: Uint8Array }
}

export interface LoadResult {
  readonly requests: number
  /** Transactions whose answer says INCLUDED or later. */
  readonly acknowledged: number
  /** Other answers, by what they say. */
  readonly others: Readonly<Record<string, number>>
  /** From the first request to the last answer, in milliseconds. */
  readonly ms: number
  /** Milliseconds from when a request was due to its answer, one for each request that counts. */
  readonly latencies: readonly number[]
  /** Requests that were sent again because the node said that it had too much to do. */
  readonly repeated: number
  /** True if what was signed was all sent before the time was over. */
  readonly ranOut: boolean
}

export type LoadReply =
  | { readonly kind: 'done'; readonly answer: LoadAnswers[keyof LoadAnswers] }
  | { readonly kind: 'failed'; readonly message: string }
