import { expect, it } from 'vitest'
import { z } from 'zod'
import { continuous, cron, definePlugin, queue } from '../plugin.ts'
import { checkPlugins } from './check.ts'
import { PluginError, type PluginProblem } from './errors.ts'

const basis = { version: '1.0.0', api: '^1.0.0' }
const run = () => undefined

/** What loading says of the plugins. */
function problemsOf(...plugins: Parameters<typeof checkPlugins>[0]): readonly PluginProblem[] {
  try {
    checkPlugins(plugins)
    return []
  } catch (error) {
    if (error instanceof PluginError) return error.problems
    throw error
  }
}

it('all that is wrong with jobs is said at once, with the plugin and the mend', () => {
  const shop = definePlugin({
    ...basis,
    name: 'shop',
    jobs: [
      cron({ name: 'sweep', schedule: '61 * * * *', run }),
      cron({ name: 'hourly', schedule: '@hourly', run }),
      queue({ name: 'sweep', input: z.object({}), concurrency: 0, attempts: 0.5, timeoutSeconds: -1, run }),
      queue({ name: 'Big Job', input: z.object({}), backoff: { seconds: 0.5, maxSeconds: 0 }, run }),
      continuous({ name: 'watch', scope: 'leader', run }),
    ],
  })
  const other = definePlugin({ ...basis, name: 'other', jobs: [cron({ name: 'x', schedule: '', run })] })
  const problems = problemsOf(shop(), other())
  expect(problems.map(({ plugin, code, problem }) => `${plugin} ${code}: ${problem}`)).toEqual([
    expect.stringContaining('shop JOB_INVALID: job "sweep" has schedule "61 * * * *": Constraint error'),
    expect.stringContaining('shop JOB_INVALID: job "hourly" has schedule "@hourly": it has 1 fields'),
    'shop DUPLICATE_JOB: job "sweep" is listed twice',
    'shop JOB_INVALID: job "sweep" has attempts: 0.5',
    'shop JOB_INVALID: job "sweep" has timeoutSeconds: -1',
    'shop JOB_INVALID: job "sweep" has concurrency: 0',
    'shop JOB_INVALID: job "Big Job" has a name that cannot be used',
    'shop JOB_INVALID: job "Big Job" has backoff.seconds: 0.5',
    'shop JOB_INVALID: job "Big Job" has backoff.maxSeconds: 0',
    expect.stringContaining('other JOB_INVALID: job "x" has schedule ""'),
  ])
  for (const { mend } of problems) expect(mend).not.toBe('')
})

it('jobs that a function lists are checked too, and its own mistake is blamed on its plugin', () => {
  const listing = definePlugin({
    ...basis,
    name: 'listing',
    config: z.object({ every: z.string().default('x') }),
    jobs: (host) => [cron({ name: 'tick', schedule: host.config.every, run })],
  })
  const eager = definePlugin({
    ...basis,
    name: 'eager',
    jobs: (host) => {
      void host.sql`select 1`
      return []
    },
  })
  expect(problemsOf(listing(), eager())).toMatchObject([
    { plugin: 'listing', code: 'JOB_INVALID' },
    { plugin: 'eager', code: 'JOB_INVALID', problem: expect.stringContaining('host.sql was touched before') },
  ])
  expect(problemsOf(listing({ every: '*/5 * * * *' }))).toEqual([])
})

it('a plugin may not take the job store for its own schema', () => {
  expect(problemsOf(definePlugin({ ...basis, name: 'pgboss' })())).toMatchObject([{ code: 'NAME_INVALID' }])
})
