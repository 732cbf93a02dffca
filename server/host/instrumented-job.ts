import type { Job, JobRun } from '../plugin/jobs.ts'
import type { Tracing } from '../tracing/index.ts'
import type { PluginScope } from './plugin-scope.ts'

/** The same job, with each run counted as its plugin's work, and traced if there is tracing. */
export function instrumentedJob<H>(job: Job<H>, scope: PluginScope, tracing: Tracing | undefined): Job<H> {
  const traced = (attempt: number, work: () => Promise<void> | void): Promise<void> | void =>
    scope.run(() => {
      if (tracing === undefined) return work()
      const attributes = { 'deaios.plugin': scope.plugin, 'deaios.job': job.name, 'deaios.attempt': attempt }
      return tracing.run(`job ${scope.plugin}/${job.name}`, { kind: 'consumer', attributes }, async () => work())
    })
  switch (job.kind) {
    case 'cron':
      return { ...job, run: (run: JobRun, host: H) => traced(run.attempt, () => job.run(run, host)) }
    case 'queue':
      return { ...job, run: (run: JobRun<unknown>, host: H) => traced(run.attempt, () => job.run(run, host)) }
    case 'continuous':
      // It has no end that a span could wait for.
      return { ...job, run: (run: JobRun, host: H) => scope.run(() => job.run(run, host)) }
  }
}
