import { codeOf, messageOf } from '../db/errors.ts'
import { SignalledWork, within } from '../db/work.ts'
import type { JobRun } from '../plugin/jobs.ts'
import { fromStored } from './data.ts'
import type { RunnableJob } from './declared.ts'
import { JobError } from './errors.ts'
import type { RunError } from './run-store.ts'

/** How a run came out. */
export type Outcome =
  | { readonly kind: 'done' }
  /** `ignored`: its code goes on, because it does not end at an abort. */
  | { readonly kind: 'failed'; readonly error: unknown; readonly ignored?: true }
  /** The node stops: it counts as not begun. */
  | { readonly kind: 'stopped'; readonly ignored?: true }
  /** Another process has it now. */
  | { readonly kind: 'lost'; readonly ignored?: true }

export interface RunOptions {
  /** How long the code may take to end after an abort, in milliseconds. */
  readonly graceMs: number
}

/** Characters of a message that are kept. */
const MESSAGE_LENGTH = 2000

/**
 * One run of a job's code. An aborted run has not done its work, however its code then ends: it may have stopped half
 * way. Code that does not end at all after an abort is waited for no longer than the grace.
 */
export class Run {
  /** Never rejects. */
  readonly outcome: Promise<Outcome>
  /** Resolves when the code has ended, which may be long after the outcome. */
  readonly ended: Promise<void>
  readonly #abort = new AbortController()
  readonly #timer: NodeJS.Timeout

  constructor(job: RunnableJob, work: { readonly data: unknown; readonly attempt: number }, { graceMs }: RunOptions) {
    const { signal } = this.#abort
    this.#timer = setTimeout(
      () => this.abort(new JobError('JOB_TIMED_OUT', job, `the run took longer than ${job.timeoutSeconds} s`)),
      job.timeoutSeconds * 1000,
    )
    const result: Promise<Outcome> = Promise.try(() =>
      // Its statements end in the database when it is aborted, as those of a request do.
      within(new SignalledWork(signal), () => job.run({ ...parsed(job, work), signal, fence: 0n })),
    ).then(
      () => (signal.aborted ? abortedBy(signal.reason) : { kind: 'done' }),
      (error: unknown) => (signal.aborted ? abortedBy(signal.reason) : { kind: 'failed', error }),
    )
    this.ended = result.then(() => clearTimeout(this.#timer))
    this.outcome = Promise.race([result, givenUp(signal, graceMs, this.ended)])
  }

  /** Asks the code to end; the first reason counts. */
  abort(reason: JobError): void {
    clearTimeout(this.#timer)
    this.#abort.abort(reason)
  }
}

/** What the code gets. A piece of work that was put in before its job's `input` changed is refused here. */
function parsed(job: RunnableJob, work: { data: unknown; attempt: number }): Pick<JobRun<unknown>, 'data' | 'attempt'> {
  const data = fromStored(work.data)
  return { attempt: work.attempt, data: job.input === undefined ? undefined : job.input.parse(data) }
}

function abortedBy(reason: unknown): Exclude<Outcome, { kind: 'done' }> {
  if (reason instanceof JobError && reason.code === 'NODE_STOPS') return { kind: 'stopped' }
  if (reason instanceof JobError && reason.code === 'JOB_LOST') return { kind: 'lost' }
  return { kind: 'failed', error: reason }
}

async function givenUp(signal: AbortSignal, graceMs: number, ended: Promise<void>): Promise<Outcome> {
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await aborted
  let timer: NodeJS.Timeout | undefined
  const grace = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs)
  })
  await Promise.race([grace, ended])
  clearTimeout(timer)
  return { ...abortedBy(signal.reason), ignored: true }
}

/** What of an error is kept with its run. */
export function runError(error: unknown): RunError {
  const message = messageOf(error).slice(0, MESSAGE_LENGTH)
  const code = codeOf(error)
  return code === undefined ? { message } : { message, code }
}
