/** What plugins do by themselves: by the clock, from a queue, or all the time. */
export { jobsSchema } from './graphql.ts'
export type { JobList } from './job-list.ts'
export { NodeJobs } from './node-jobs.ts'
