import type { Sql, Transaction } from '../plugin/sql.ts'
import type { ContinuousJobs } from './continuous/continuous-jobs.ts'
import { queueName } from './declared.ts'
import { continuousEntry, type JobEntry, scheduledEntry } from './job-entry.ts'
import type { QueueJobs } from './queue-jobs.ts'
import { findRun, listRuns, type Place, type RunFilter } from './run-list.ts'

/** Why a run cannot be retried. */
export type RetryRefusal = 'JOB_NOT_FOUND' | 'JOB_NOT_FAILED' | 'JOB_KEY_TAKEN'

/** What an operator sees of a node's jobs, and does to them. */
export class JobList {
  readonly #queues: QueueJobs
  readonly #continuous: ContinuousJobs
  readonly #sql: Sql

  constructor(queues: QueueJobs, continuous: ContinuousJobs, sql: Sql) {
    this.#queues = queues
    this.#continuous = continuous
    this.#sql = sql
  }

  /** Runs, cron jobs and continuous jobs: those first that came last. */
  async page(filter: RunFilter, after: Place | undefined, limit: number): Promise<readonly JobEntry[]> {
    const [standing, runs] = await Promise.all([this.#standing(filter), this.#runs(filter, after, limit)])
    const behind = standing.filter((entry) => after === undefined || compare(after, entry) < 0)
    return [...behind, ...runs].sort(compare).slice(0, limit)
  }

  /**
   * Gives a failed run one more try, at once.
   * @param note writes in the same transaction
   */
  async retry(id: string, note: (tx: Transaction) => Promise<void>): Promise<JobEntry | RetryRefusal> {
    const [, queue, run] = /^([a-z0-9_]+\/[a-z0-9_-]+)\/([0-9a-f-]{36})$/.exec(id) ?? []
    if (queue === undefined || run === undefined || !this.#queues.isOpen) return 'JOB_NOT_FOUND'
    const known = await findRun(this.#sql, queue, run)
    if (known === undefined) return 'JOB_NOT_FOUND'
    if (known.status !== 'FAILED') return 'JOB_NOT_FAILED'
    const outcome = await this.#queues.retry(queue, run, note)
    if (outcome === 'key taken') return 'JOB_KEY_TAKEN'
    if (outcome === 'not failed') return 'JOB_NOT_FAILED'
    return (await findRun(this.#sql, queue, run)) ?? 'JOB_NOT_FOUND'
  }

  async #runs(filter: RunFilter, after: Place | undefined, limit: number): Promise<readonly JobEntry[]> {
    return this.#queues.isOpen ? listRuns(this.#sql, filter, after, limit) : []
  }

  /** Few, so that they are all looked at. */
  async #standing({ plugin, status }: RunFilter): Promise<readonly JobEntry[]> {
    const entries = [...this.#continuous.states().map(continuousEntry), ...(await this.#scheduled())]
    return entries.filter(
      (entry) => (plugin === undefined || entry.plugin === plugin) && (status === undefined || entry.status === status),
    )
  }

  async #scheduled(): Promise<readonly JobEntry[]> {
    const { cronJobs } = this.#queues
    if (cronJobs.length === 0) return []
    const rows = await this.#sql<{ plugin: string; name: string; due_at: Date; created_at: Date }[]>`
      select plugin, name, due_at, created_at from core.cron_job
      where plugin || '/' || name = any(${cronJobs.map(queueName)}::text[])`
    return rows.map(scheduledEntry)
  }
}

/** Newest first. */
function compare(a: Place, b: Place): number {
  if (a.createdMicros !== b.createdMicros) return b.createdMicros - a.createdMicros
  return a.id === b.id ? 0 : a.id < b.id ? 1 : -1
}
