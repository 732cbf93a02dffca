import type { z } from 'zod'
import type { Host } from '../plugin/host.ts'
import type { CronJob, JobRun, QueueJob } from '../plugin/jobs.ts'

/** Which job of which plugin. */
export interface JobName {
  readonly plugin: string
  readonly name: string
}

/** A job that has single runs: by the clock or from a queue. Defaults are filled in. */
export interface RunnableJob extends JobName {
  readonly kind: 'cron' | 'queue'
  /** Of a cron job. */
  readonly schedule: string | undefined
  /** Of a queue job. */
  readonly input: z.ZodType<unknown> | undefined
  /** Runs at a time on this node. */
  readonly concurrency: number
  /** Tries in all. */
  readonly attempts: number
  /** The pause before a further try, in seconds. */
  readonly backoff: { readonly seconds: number; readonly maxSeconds: number }
  readonly timeoutSeconds: number
  /** The author's code; `data` has been checked by `input`. */
  run(run: JobRun<unknown>): Promise<void> | void
}

/** Binds a plugin's job to its host. */
export const declareJob = <H extends Host>(host: H, job: CronJob<H> | QueueJob<unknown, H>): RunnableJob =>
  job.kind === 'cron' ? declareCron(host.name, host, job) : declareQueue(host.name, host, job)

const declareCron = <H extends Host>(plugin: string, host: H, job: CronJob<H>): RunnableJob => ({
  plugin,
  name: job.name,
  kind: 'cron',
  schedule: job.schedule,
  input: undefined,
  concurrency: 1,
  attempts: job.attempts ?? 3,
  backoff: { seconds: 1, maxSeconds: 300 },
  timeoutSeconds: job.timeoutSeconds ?? 300,
  run: ({ signal, fence, attempt }) => job.run({ signal, fence, attempt, data: undefined }, host),
})

const declareQueue = <H extends Host>(plugin: string, host: H, job: QueueJob<unknown, H>): RunnableJob => ({
  plugin,
  name: job.name,
  kind: 'queue',
  schedule: undefined,
  input: job.input,
  concurrency: job.concurrency ?? 1,
  attempts: job.attempts ?? 3,
  backoff: { seconds: job.backoff?.seconds ?? 1, maxSeconds: job.backoff?.maxSeconds ?? 300 },
  timeoutSeconds: job.timeoutSeconds ?? 300,
  run: (run) => job.run(run, host),
})

/** What a job is called in the database: `<plugin>/<job>`. */
export const queueName = ({ plugin, name }: JobName): string => `${plugin}/${name}`

/** The other way round. */
export function parseQueueName(queue: string): JobName {
  const at = queue.indexOf('/')
  return { plugin: queue.slice(0, at), name: queue.slice(at + 1) }
}
