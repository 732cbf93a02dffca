import { z } from 'zod'
import type { Clock, Log } from '../plugin/host.ts'
import type { EnqueueOptions } from '../plugin/jobs.ts'
import type { DatabaseOptions, Sql, SqlOrTransaction, Transaction } from '../plugin/sql.ts'
import { atMost } from './at-most.ts'
import { startBoss } from './boss.ts'
import { CronClock } from './cron-clock.ts'
import { toStored } from './data.ts'
import { type JobName, parseQueueName, queueName, type RunnableJob } from './declared.ts'
import { JobError } from './errors.ts'
import { CRON_KEY, givenKey } from './keys.ts'
import type { JobMeter } from './metrics.ts'
import { QueueWorker } from './queue-worker.ts'
import { Run } from './run.ts'
import { type Retried, RunStore } from './run-store.ts'
import { Watch } from './watch.ts'

const CLOSED_WITHIN_MS = 5_000

/** How the options of `enqueue` may look. */
const Options = z.strictObject({
  key: z
    .string()
    .min(1)
    .max(500)
    .refine((key) => key.isWellFormed() && !key.includes('\0'), 'a key is text without zero characters')
    .optional(),
  delay: z
    .number()
    .min(0)
    .max(365 * 86_400)
    .optional(),
})

export interface JobBounds {
  /** How long runs may go on at the node's stop before they are aborted, in milliseconds. */
  readonly drain: number
  /** How long they may go on after an abort before they are given up, in milliseconds. */
  readonly grace: number
  /** How much work of one job may wait; between two counts somewhat more may get in. */
  readonly waiting: number
  /** What waits is counted after so many milliseconds again. */
  readonly count: number
  /** A run whose process has not been heard of for so many milliseconds is lost. */
  readonly lost: number
}

const JOB_BOUNDS: JobBounds = { drain: 8_000, grace: 5_000, waiting: 1_000_000, count: 5_000, lost: 9_000 }

export interface QueueJobsOptions {
  readonly jobs: readonly RunnableJob[]
  /** All plugins of the node, with jobs or not. */
  readonly plugins: readonly string[]
  /** The core's pool. */
  readonly sql: Sql
  readonly database: DatabaseOptions
  readonly clock: Clock
  readonly log: Log
  readonly meter: JobMeter
  readonly bounds?: Partial<JobBounds>
}

interface Parts {
  readonly store: RunStore
  readonly watch: Watch
  readonly cron: CronClock
}

/** The cron and queue jobs of a node. Nothing is opened if there are none. */
export class QueueJobs {
  readonly #options: QueueJobsOptions
  readonly #jobs: ReadonlyMap<string, RunnableJob>
  readonly #bounds: JobBounds
  #parts: Parts | undefined
  #isDraining = false

  constructor(options: QueueJobsOptions) {
    this.#options = options
    this.#jobs = new Map(options.jobs.map((job) => [queueName(job), job]))
    this.#bounds = { ...JOB_BOUNDS, ...options.bounds }
  }

  /** Opens what keeps the runs; work can be put in then. */
  async prepare(): Promise<void> {
    const { jobs, plugins, sql, database, clock, log, meter } = this.#options
    if (jobs.length === 0) return
    const boss = await startBoss(database, log)
    const store = new RunStore(boss, sql)
    const put = (tx: SqlOrTransaction, job: RunnableJob) =>
      store.put(tx, job, { data: undefined, key: CRON_KEY, delay: 0 })
    const cron = new CronClock({ sql, clock, log, put })
    const watch = new Watch({
      store,
      sql,
      meter,
      log,
      maxWaiting: this.#bounds.waiting,
      countMs: this.#bounds.count,
      lostAfterMs: this.#bounds.lost,
    })
    this.#parts = { store, watch, cron }
    await Promise.all([store.prepare(jobs), cron.prepare(jobs, plugins), watch.start()])
  }

  /** Works off a plugin's jobs from now on. */
  begin(plugin: string): void {
    if (this.#parts === undefined || this.#isDraining) return
    const { store, watch, cron } = this.#parts
    const { log, meter } = this.#options
    for (const job of this.#options.jobs) {
      if (job.plugin !== plugin) continue
      watch.add(new QueueWorker(job, { store, meter, log, graceMs: this.#bounds.grace }))
      if (job.kind === 'cron') cron.begin(job)
    }
  }

  /** What `host.jobs.enqueue` does. */
  async enqueue(
    tx: SqlOrTransaction,
    name: JobName,
    data: unknown,
    options: EnqueueOptions = {},
  ): Promise<string | null> {
    const job = this.#jobs.get(queueName(name))
    if (job?.input === undefined)
      throw new JobError('JOB_UNKNOWN', name, 'there is no such queue job; list it in `jobs` of this plugin')
    const { key, delay = 0 } = Options.parse(options)
    job.input.parse(data)
    const stored = toStored(job, data)
    const { store, watch } = this.#opened(job)
    if (watch.isFull(queueName(job)))
      throw new JobError('JOB_QUEUE_FULL', job, `${this.#bounds.waiting} pieces of work wait already; try again later`)
    return store.put(tx, job, { data: stored, key: key === undefined ? undefined : givenKey(key), delay })
  }

  /** Whether there are such jobs, and runs can be looked up. */
  get isOpen(): boolean {
    return this.#parts !== undefined
  }

  get cronJobs(): readonly RunnableJob[] {
    return this.#options.jobs.filter(({ kind }) => kind === 'cron')
  }

  /**
   * Gives a failed run one more try, at once.
   * @param note writes in the same transaction
   */
  retry(queue: string, id: string, note: (tx: Transaction) => Promise<void>): Promise<Retried> {
    return this.#opened(parseQueueName(queue)).store.retry(queue, id, note)
  }

  /** Takes no new runs, waits for those that go on (bounded), and puts the others back for later. */
  async drain(): Promise<void> {
    this.#isDraining = true
    if (this.#parts === undefined) return
    const { watch, cron } = this.#parts
    await atMost(CLOSED_WITHIN_MS, cron.stop())
    await Promise.all(watch.workers.map((worker) => worker.drain(this.#bounds.drain)))
  }

  /** Closes everything; after `drain`. A database that does not answer is left behind after some seconds. */
  async stop(): Promise<void> {
    if (this.#parts === undefined) return
    const { watch, store } = this.#parts
    this.#parts = undefined
    const { log } = this.#options
    const closing = watch
      .stop()
      .then(() => store.stop())
      .catch((error: unknown) => log.warn({ error }, 'the job store did not close well'))
    if (!(await atMost(CLOSED_WITHIN_MS, closing))) log.warn('the job store does not close; leaving it')
  }

  /** For tests: runs a job once, here and now, with nothing written. @throws what the run throws */
  async runNow(name: JobName, data?: unknown): Promise<void> {
    const job = this.#jobs.get(queueName(name))
    if (job === undefined) throw new JobError('JOB_UNKNOWN', name, 'there is no such cron or queue job')
    const { outcome } = new Run(job, { data: toStored(job, data), attempt: 1 }, { graceMs: this.#bounds.grace })
    const result = await outcome
    if (result.kind === 'failed') throw result.error
  }

  /** For tests: when the next cron job is due, in milliseconds since 1970. */
  nextDue(): number | undefined {
    return this.#parts?.cron.next()
  }

  /** For tests: resolves when everything that is due by now has run. */
  async settle(): Promise<void> {
    if (this.#parts === undefined) return
    const { store, watch, cron } = this.#parts
    const jobs = watch.workers.map(({ job }) => job)
    do {
      await cron.tick()
      for (const worker of watch.workers) worker.wake()
      for (const worker of watch.workers) await worker.idle()
    } while (!this.#isDraining && jobs.length > 0 && (await store.due(jobs)).length > 0)
  }

  #opened(job: JobName): Parts {
    if (this.#parts !== undefined) return this.#parts
    throw new JobError('NODE_STOPS', job, 'the node does not take work now; it has not started, or it stops')
  }
}
