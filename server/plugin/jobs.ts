import type { z } from 'zod'
import type { Host } from './host.ts'
import type { SqlOrTransaction } from './sql.ts'

/** One run of a job. */
export interface JobRun<Data = undefined> {
  /**
   * Aborts when the run's time is up, its lease is lost, or the node stops. Long work must honour it. An aborted run has
   * not done its work, however it ends: after its time is up it counts as failed, at a stop as not begun.
   */
  readonly signal: AbortSignal
  /**
   * Grows each time that a leader is made. A leader's changes carry it, so that the database refuses those of one that
   * was replaced and does not know yet: `host.jobs.guard(tx, job, fence)`. 0 for cron and queue jobs and for replicas.
   */
  readonly fence: bigint
  /** 1 for the first. A run is done again if its process dies in it, so that it may find its work half done. */
  readonly attempt: number
  readonly data: Data
}

interface JobBase {
  readonly kind: string
  /** Unique in its plugin. Lower case letters, digits, `_` and `-`. */
  readonly name: string
}

/**
 * Runs at times of the clock, on one of the nodes that share the database. A time is left out while the run before goes
 * on; times at which no node ran are made up for by one run.
 */
export interface CronJob<H = Host> extends JobBase {
  readonly kind: 'cron'
  /** Five fields (minute, hour, day of month, month, day of week) in UTC, like `0 4 * * *` (every day at four). */
  readonly schedule: string
  /** Tries in all; 3 if absent. The pause before a further one begins with a second and doubles. */
  readonly attempts?: number
  /** A longer run is aborted and counts as failed; 300 if absent, 23 hours at most. */
  readonly timeoutSeconds?: number
  run(run: JobRun, host: H): Promise<void> | void
}

/** Works off what `host.jobs.enqueue` puts in, on any of the nodes that share the database. */
export interface QueueJob<Data = unknown, H = Host> extends JobBase {
  readonly kind: 'queue'
  /**
   * What a piece of work is told: text, numbers, booleans, bigint, Uint8Array, Date, null, lists and plain objects, of
   * 256 KiB at most. It is checked when it is put in, and again before each try.
   */
  readonly input: z.ZodType<Data>
  /** Runs at a time, on each node; 1 if absent, 1000 at most. */
  readonly concurrency?: number
  /** Tries in all; 3 if absent. One whose process died counts. */
  readonly attempts?: number
  /**
   * The pause before a further try: `seconds` to twice as much (1 if absent; 0 for none), doubled each time up to
   * `maxSeconds` (300 if absent). Whole numbers.
   */
  readonly backoff?: { readonly seconds?: number; readonly maxSeconds?: number }
  /** A longer run is aborted and counts as failed; 300 if absent, 23 hours at most. */
  readonly timeoutSeconds?: number
  run(run: JobRun<Data>, host: H): Promise<void> | void
}

/** Runs all the time: on every node (`replica`), or on one of the nodes that share the database (`leader`). */
export interface ContinuousJob<H = Host> extends JobBase {
  readonly kind: 'continuous'
  readonly scope: 'leader' | 'replica'
  /** Whether this node may run it, asked once when the job begins; true if absent. */
  eligible?(host: H): boolean | Promise<boolean>
  /** Returns when the signal aborts. If it returns or throws before, it is called again after a pause. */
  run(run: JobRun, host: H): Promise<void> | void
}

export type Job<H = Host> = CronJob<H> | QueueJob<unknown, H> | ContinuousJob<H>

type Options<J> = Omit<J, 'kind'>

/** A job by the clock. */
export const cron = <H = Host>(options: Options<CronJob<H>>): CronJob<H> => Object.freeze({ kind: 'cron', ...options })

/** A job for pieces of work; keep the result to enqueue with. */
export const queue = <Data, H = Host>(options: Options<QueueJob<Data, H>>): QueueJob<Data, H> =>
  Object.freeze({ kind: 'queue', ...options })

/** A job without end. */
export const continuous = <H = Host>(options: Options<ContinuousJob<H>>): ContinuousJob<H> =>
  Object.freeze({ kind: 'continuous', ...options })

export interface EnqueueOptions {
  /** Work of this key that waits or runs already is not put in again. 500 characters at most. */
  readonly key?: string
  /** Seconds until it may start; a year at most. */
  readonly delay?: number
}

/** A plugin's jobs, as its own code uses them. */
export interface Jobs {
  /**
   * Puts a piece of work in, in the caller's transaction: it exists if and only if that commits.
   * @returns the id of the run; null if there is work of the same key
   * @throws ZodError for data that the job's `input` refuses
   * @throws JobError for data that cannot be kept, for a job that is not this plugin's, or if too much waits
   */
  enqueue<Data, H>(
    tx: SqlOrTransaction,
    job: QueueJob<Data, H>,
    data: NoInfer<Data>,
    options?: EnqueueOptions,
  ): Promise<string | null>

  /**
   * Holds a transaction to a leader's fence. To be called in each transaction in which a leader's job writes.
   * @throws FencedError if there is a newer leader; the transaction is then rolled back
   */
  guard(tx: SqlOrTransaction, job: ContinuousJob<never> | string, fence: bigint): Promise<void>

  /**
   * Starts one of the plugin's continuous jobs now. They are started when `start` has ended; a `start` that waits for
   * what a job does begins it itself.
   * @throws TypeError if the plugin lists no such job
   */
  begin(job: string): void
}
