/** What plugins do by themselves: by the clock, from a queue, or all the time. */
export { makeJobStore } from './boss.ts'
export { JobError, type JobErrorCode } from './errors.ts'
export { jobsSchema } from './graphql.ts'
export { JOB_STATUSES, type JobEntry, type JobStatus } from './job-entry.ts'
export type { JobList, RetryRefusal } from './job-list.ts'
export { NodeJobs, type NodeJobsOptions } from './node-jobs.ts'
export { JOB_BOUNDS, type JobBounds, type QueueJobs } from './queue-jobs.ts'
