import { scheduleProblem } from '../jobs/schedule.ts'
import type { Listed, PluginDefinition } from '../plugin/define.ts'
import type { Host } from '../plugin/host.ts'
import type { Job } from '../plugin/jobs.ts'
import type { PluginProblem } from './errors.ts'

/** What a plugin lists, written down or made by its function of the host. */
export const listed = <T, H>(list: Listed<T, H> | undefined, host: H): readonly T[] =>
  typeof list === 'function' ? list(host) : (list ?? [])

/**
 * What is wrong with a plugin's jobs.
 * @param host opened or not: the function that lists the jobs must not touch it, only what it lists
 */
export function jobProblems(definition: PluginDefinition, host: Host<Record<string, unknown>>): PluginProblem[] {
  const plugin = definition.name
  let jobs: readonly Job<never>[]
  try {
    jobs = listed(definition.jobs, host)
  } catch (error) {
    const problem = `cannot list its jobs: ${error instanceof Error ? error.message : String(error)}`
    return [{ plugin, code: 'JOB_INVALID', problem, mend: 'use services and host.sql only inside a job, in `run`' }]
  }
  const problems: PluginProblem[] = []
  const names = new Set<string>()
  for (const job of jobs) {
    const blame = (code: 'DUPLICATE_JOB' | 'JOB_INVALID', what: string, mend: string): void => {
      problems.push({ plugin, code, problem: `job "${job.name}" ${what}`, mend })
    }
    if (names.has(job.name)) blame('DUPLICATE_JOB', 'is listed twice', 'rename one of the two')
    names.add(job.name)
    if (!/^[a-z0-9][a-z0-9_-]{0,59}$/.test(job.name))
      blame('JOB_INVALID', 'has a name that cannot be used', 'use a-z, 0-9, _ and -, 60 at most')
    for (const [what, mend] of settingProblems(job)) blame('JOB_INVALID', what, mend)
  }
  return problems
}

function settingProblems(job: Job<never>): readonly (readonly [what: string, mend: string])[] {
  if (job.kind === 'continuous') return []
  const found: [string, string][] = []
  const { attempts, timeoutSeconds } = job
  if (attempts !== undefined && !isWhole(attempts, 1, 100))
    found.push([`has attempts: ${attempts}`, 'give a whole number from 1 to 100'])
  if (timeoutSeconds !== undefined && !(timeoutSeconds > 0 && timeoutSeconds <= 82_800))
    found.push([`has timeoutSeconds: ${timeoutSeconds}`, 'give a number above 0, 82800 (23 hours) at most'])
  if (job.kind === 'cron') {
    const problem = scheduleProblem(job.schedule, Date.now())
    if (problem !== undefined)
      found.push([`has schedule "${job.schedule}": ${problem}`, 'write it like "0 4 * * *" (every day at four, UTC)'])
    return found
  }
  const { concurrency, backoff } = job
  if (concurrency !== undefined && !isWhole(concurrency, 1, 1000))
    found.push([`has concurrency: ${concurrency}`, 'give a whole number from 1 to 1000'])
  if (backoff?.seconds !== undefined && !isWhole(backoff.seconds, 0, 86_400))
    found.push([`has backoff.seconds: ${backoff.seconds}`, 'give a whole number from 0 to 86400'])
  if (backoff?.maxSeconds !== undefined && !isWhole(backoff.maxSeconds, 1, 86_400))
    found.push([`has backoff.maxSeconds: ${backoff.maxSeconds}`, 'give a whole number from 1 to 86400'])
  return found
}

const isWhole = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most
