import type { Host } from '../../plugin/host.ts'
import type { ContinuousJob, JobRun } from '../../plugin/jobs.ts'
import type { JobName } from '../declared.ts'

/** A job without end, bound to its plugin's host. */
export interface StandingJob extends JobName {
  readonly scope: 'leader' | 'replica'
  /** Whether this node may run it; asked once. */
  eligible(): Promise<boolean> | boolean
  run(run: JobRun): Promise<void> | void
}

/** Binds a plugin's job to its host. */
export const standingJob = <H extends Host>(host: H, job: ContinuousJob<H>): StandingJob => ({
  plugin: host.name,
  name: job.name,
  scope: job.scope,
  eligible: () => job.eligible?.(host) ?? true,
  run: (run) => job.run(run, host),
})
