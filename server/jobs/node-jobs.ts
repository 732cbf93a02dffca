import type { Database } from '../db/database.ts'
import { CORE_SCHEMA } from '../db/migrate.ts'
import type { MetricsRegistry } from '../metrics/index.ts'
import type { Cluster } from '../peers/cluster.ts'
import type { Clock, Host, Log } from '../plugin/host.ts'
import type { Job, Jobs } from '../plugin/jobs.ts'
import type { ContinuousJobs } from './continuous/continuous-jobs.ts'
import { standingJob } from './continuous/standing-job.ts'
import { declareJob } from './declared.ts'
import { checkFence, leaseName } from './fence.ts'
import { JobList } from './job-list.ts'
import { createJobMeter } from './metrics.ts'
import { type JobBounds, QueueJobs } from './queue-jobs.ts'

/** A plugin with what it does by itself. */
export interface Worker {
  readonly host: Host<Record<string, unknown>>
  readonly jobs: readonly Job<Host<Record<string, unknown>>>[]
}

export interface NodeJobsOptions {
  readonly workers: readonly Worker[]
  readonly database: Database
  /** Where leaders are elected. */
  readonly cluster: Cluster
  readonly clock: Clock
  readonly log: Log
  readonly metrics: MetricsRegistry
  readonly bounds?: JobBounds | undefined
}

/** All jobs of a node's plugins. */
export class NodeJobs {
  /** Those by the clock and from a queue. */
  readonly queues: QueueJobs
  /** Those without end. */
  readonly continuous: ContinuousJobs
  /** What an operator sees of them. */
  readonly list: JobList
  readonly #workers: ReadonlyMap<string, Worker>

  constructor({ workers, database, cluster, clock, log: nodeLog, metrics, bounds }: NodeJobsOptions) {
    const log = nodeLog.child({ part: 'jobs' })
    this.#workers = new Map(workers.map((worker) => [worker.host.name, worker]))
    this.queues = new QueueJobs({
      jobs: workers.flatMap(({ host, jobs }) =>
        jobs.flatMap((job) => (job.kind === 'continuous' ? [] : [declareJob(host, job)])),
      ),
      plugins: [...this.#workers.keys()],
      sql: database.sql(CORE_SCHEMA),
      database: database.options(CORE_SCHEMA),
      clock,
      log,
      meter: createJobMeter(metrics),
      ...(bounds === undefined ? {} : { bounds }),
    })
    this.continuous = cluster.continuous
    this.list = new JobList(this.queues, this.continuous, database.sql(CORE_SCHEMA))
  }

  /** A plugin with its jobs, for tests that run them themselves. */
  worker(plugin: string): Worker | undefined {
    return this.#workers.get(plugin)
  }

  /** What `host.jobs` is. */
  of(plugin: string): Jobs {
    return {
      enqueue: (tx, job, data, options) => this.queues.enqueue(tx, { plugin, name: job.name }, data, options),
      guard: (tx, job, fence) => checkFence(tx, leaseName(plugin, typeof job === 'string' ? job : job.name), fence),
      begin: (name) => this.#beginContinuous(plugin, name),
    }
  }

  /** Opens what keeps the runs; work can be put in then. */
  prepare(): Promise<void> {
    return this.queues.prepare()
  }

  /** Starts what a plugin does by itself; when its `start` has ended. */
  begin(plugin: string): void {
    this.queues.begin(plugin)
    for (const job of this.#workers.get(plugin)?.jobs ?? [])
      if (job.kind === 'continuous') this.#beginContinuous(plugin, job.name)
  }

  #beginContinuous(plugin: string, name: string): void {
    const worker = this.#workers.get(plugin)
    const job = worker?.jobs.find((listed) => listed.kind === 'continuous' && listed.name === name)
    if (worker === undefined || job?.kind !== 'continuous')
      throw new TypeError(`plugin "${plugin}": lists no continuous job "${name}"`)
    this.continuous.begin(standingJob(worker.host, job))
  }

  /** Ends the runs; to be called before any plugin drains. Never throws. */
  async drain(): Promise<void> {
    await this.queues.drain()
  }

  /** Ends a plugin's continuous jobs. Never throws. */
  drainContinuous(plugin: string): Promise<void> {
    return this.continuous.stop(plugin)
  }

  async stop(): Promise<void> {
    await this.queues.stop()
  }
}
