import type { RunnableJob } from '../../../server/jobs/declared.ts'
import { work } from '../../../server/jobs/fixtures/job-node.ts'

/** The job of this scenario, in the process that puts work in and in those that do it. */
export const shopWork = (run: RunnableJob['run']): RunnableJob =>
  work({ concurrency: 8, attempts: 50, backoff: { seconds: 0, maxSeconds: 1 }, run })
