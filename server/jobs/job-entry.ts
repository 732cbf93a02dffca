import type { ContinuousState } from './continuous/state.ts'

/** What a job's run, or a job itself, is doing. */
export const JOB_STATUSES = [
  'WAITING',
  'RETRYING',
  'RUNNING',
  'DONE',
  'FAILED',
  'CANCELLED',
  'SCHEDULED',
  'STANDBY',
  'STUCK',
  'EXCLUDED',
  'STOPPED',
] as const
export type JobStatus = (typeof JOB_STATUSES)[number]

/** One line of the list of jobs: a run of a cron or queue job, a cron job's next time, or a continuous job on this node. */
export interface JobEntry {
  /** `<plugin>/<job>` and what tells it apart. */
  readonly id: string
  readonly plugin: string
  readonly name: string
  readonly kind: 'CRON' | 'QUEUE' | 'CONTINUOUS'
  readonly status: JobStatus
  /** 1 for the first; 0 before it. */
  readonly attempt: number
  /** Tries in all; null without end. */
  readonly attempts: number | null
  readonly error: { readonly message: string; readonly code: string | null } | null
  readonly data: unknown
  readonly key: string | null
  readonly createdAt: Date
  readonly startedAt: Date | null
  readonly finishedAt: Date | null
  readonly nextRunAt: Date | null
  /** Microseconds since 1970: what the list is ordered by. */
  readonly createdMicros: number
}

const STANDING = {
  running: 'RUNNING',
  standby: 'STANDBY',
  waiting: 'RETRYING',
  stuck: 'STUCK',
  excluded: 'EXCLUDED',
  stopped: 'STOPPED',
} as const satisfies Record<ContinuousState['status'], JobStatus>

/** A continuous job as a line of the list. */
export const continuousEntry = (state: ContinuousState): JobEntry => ({
  id: state.id,
  plugin: state.plugin,
  name: state.name,
  kind: 'CONTINUOUS',
  status: STANDING[state.status],
  attempt: state.attempt,
  attempts: null,
  error: state.error === null ? null : { message: state.error, code: null },
  data: null,
  key: null,
  createdAt: new Date(state.createdAt),
  startedAt: state.startedAt === null ? null : new Date(state.startedAt),
  finishedAt: null,
  nextRunAt: state.nextRunAt === null ? null : new Date(state.nextRunAt),
  createdMicros: state.createdAt * 1000,
})

/** A cron job as it waits for its time. */
export const scheduledEntry = (job: {
  readonly plugin: string
  readonly name: string
  readonly due_at: Date
  readonly created_at: Date
}): JobEntry => ({
  id: `${job.plugin}/${job.name}`,
  plugin: job.plugin,
  name: job.name,
  kind: 'CRON',
  status: 'SCHEDULED',
  attempt: 0,
  attempts: null,
  error: null,
  data: null,
  key: null,
  createdAt: job.created_at,
  startedAt: null,
  finishedAt: null,
  nextRunAt: job.due_at,
  createdMicros: job.created_at.getTime() * 1000,
})
