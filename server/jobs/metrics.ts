import type { MetricsRegistry } from '../metrics/index.ts'
import { type JobName, queueName } from './declared.ts'
import type { Outcome } from './run.ts'

/** Seconds. */
const BUCKETS = [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300, 1800]

/** What the node tells about its jobs at /metrics. */
export interface JobMeter {
  ran(job: JobName, outcome: Outcome['kind'], seconds: number): void
  /** @param waiting pieces of work by queue */
  waits(jobs: readonly JobName[], waiting: ReadonlyMap<string, number>): void
}

export function createJobMeter({ core }: MetricsRegistry): JobMeter {
  const runs = core.counter({
    name: 'job_runs_total',
    help: 'Runs of cron and queue jobs that came to an end.',
    labels: ['plugin', 'job', 'outcome'],
  })
  const seconds = core.histogram({
    name: 'job_run_seconds',
    help: 'How long runs of cron and queue jobs took.',
    labels: ['plugin', 'job'],
    buckets: BUCKETS,
  })
  const depth = core.gauge({
    name: 'jobs_waiting_count',
    help: 'Runs that wait for their turn or time, on all nodes together.',
    labels: ['plugin', 'job'],
  })
  return {
    ran({ plugin, name }, outcome, duration) {
      runs.add(1, { plugin, job: name, outcome })
      seconds.observe(duration, { plugin, job: name })
    },
    waits(jobs, waiting) {
      for (const job of jobs) depth.set(waiting.get(queueName(job)) ?? 0, { plugin: job.plugin, job: job.name })
    },
  }
}
