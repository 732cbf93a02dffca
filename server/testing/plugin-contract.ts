import type { GraphQLSchema } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CORE_SCHEMA } from '../db/migrate.ts'
import { checkPlugins } from '../host/check.ts'
import type { Node } from '../host/node.ts'
import { printableSchema } from '../host/schema.ts'
import type { ConfiguredPlugin } from '../plugin/define.ts'
import type { Log } from '../plugin/host.ts'
import type { QueueJob } from '../plugin/jobs.ts'
import { endsWhenAborted } from './contract/aborted-run.ts'
import { leftTimersLog } from './contract/left-timers.ts'
import { addedFields, listProblems, oversizedPages } from './contract/lists.ts'
import { leftOpen, openHandles } from './contract/open-handles.ts'
import { cutAndResumed, type SubscriptionExample } from './contract/resumption.ts'
import { TestKitError } from './errors.ts'
import type { FakesOf } from './fakes.ts'
import { createTestHost, type TestHost } from './test-host.ts'

export interface PluginContractOptions<F extends readonly unknown[] = readonly unknown[]> {
  /** The plugins that it depends on. */
  readonly with?: readonly ConfiguredPlugin[]
  /** Services that are not the real ones, as for `createTestHost`. */
  readonly fakes?: FakesOf<F>
  /** What each queue job is told in its trial, by the job's name. */
  readonly work?: Readonly<Record<string, unknown>>
  /** For each subscription that can be resumed, by its field's name: how something happens. */
  readonly subscriptions?: Readonly<Record<string, SubscriptionExample>>
}

/**
 * What every plugin must keep to, as tests. Call it in a test file:
 *
 *     pluginContract(weather(), { with: [execution()], subscriptions: { weatherReported: { cause: report } } })
 */
export function pluginContract<const F extends readonly unknown[] = readonly []>(
  plugin: ConfiguredPlugin,
  options: PluginContractOptions<F> = {},
): void {
  const { with: others = [], work = {}, subscriptions = {} } = options
  const { name } = plugin.definition
  const plugins = [...others.filter((other) => other.definition.name !== name), plugin]
  const start = (log?: Log): Promise<TestHost> =>
    createTestHost({ plugins, ...(options.fakes && { fakes: options.fakes }), ...(log && { log }) })
  const state = (node: Node): string | undefined => node.plugins.find((slot) => slot.name === name)?.status

  describe(`the plugin ${name}`, () => {
    // First, while nothing else is open.
    it('leaves nothing open when it stops', async () => {
      // What is opened once in a process is open after the first host.
      await (await start()).stop()
      const before = openHandles()
      const { log, left } = leftTimersLog()
      await (await start(log)).stop()
      hold(left.length === 0, `it left a timer running, made at ${left.join(', ')}; clear it in \`stop\``)
      const open = await leftOpen(before)
      hold(open.length === 0, `a start and a stop have left open: ${open.join(', ')}; end it in \`stop\``)
    })

    describe('in a node', () => {
      let host: TestHost
      beforeAll(async () => {
        host = await start()
      })
      afterAll(() => host?.stop())

      it('starts and stops, twice; migrates an empty database, and one that is up to date', async () => {
        const applied = () => host.sql(CORE_SCHEMA)`
          select name, applied_at from migrations where schema = ${name} order by name`
        const first = await applied()
        const { node } = host
        expect(state(node)).toBe('RUNNING')
        await host.restart()
        expect(state(node)).toBe('STOPPED')
        expect(state(host.node)).toBe('RUNNING')
        expect(await applied()).toEqual(first)
      })

      it('keeps its tables in its own schema', async () => {
        const own = [CORE_SCHEMA, 'pgboss', ...plugins.map(({ definition }) => definition.name)]
        const strays = await host.sql(CORE_SCHEMA)`
          select schemaname || '.' || tablename as table from pg_tables
          where schemaname <> all(${own}) and schemaname not in ('pg_catalog', 'information_schema')`
        const names = strays.map(({ table }) => table).join(', ')
        hold(strays.length === 0, `it made ${names}; unqualified names land in its own schema`)
      })

      it('bounds and costs every list', async () => {
        const fields = addedFields(host.schema, schemaOf(others))
        const problems = listProblems(fields)
        hold(problems.length === 0, problems.join('\n'))
        for (const document of oversizedPages(fields)) {
          const { errors } = await host.execute(document)
          const codes = errors?.map(({ extensions }) => extensions?.code)
          const isRefused = codes?.every((code) => REFUSED_PAGE.test(String(code))) === true
          hold(isRefused, `${document} is answered; use resolvePage, which refuses pages that are too large`)
        }
      })

      it('resumes its subscriptions without gap or repeat', async () => {
        for (const { parent, field } of addedFields(host.schema, schemaOf(others))) {
          if (parent !== 'Subscription' || !field.args.some((argument) => argument.name === 'after')) continue
          const { whole, resumed } = await cutAndResumed(host, field, exampleOf(field.name, subscriptions))
          for (const part of resumed)
            expect(part, `Subscription.${field.name} resumed after a cursor`).toEqual(whole.slice(-part.length))
          const cursors = new Set(whole.map(({ cursor }) => cursor))
          hold(cursors.size === whole.length, `Subscription.${field.name} gives the same cursor to two results`)
        }
      })

      it('ends its jobs when they are aborted', async () => {
        const worker = host.node.jobs.worker(name)
        for (const job of worker?.jobs ?? []) {
          if (worker === undefined || job.kind === 'continuous') continue
          const trial = { fence: 0n, attempt: 1 }
          const outcome = await endsWhenAborted((signal) =>
            job.kind === 'cron'
              ? job.run({ ...trial, signal, data: undefined }, worker.host)
              : job.run({ ...trial, signal, data: dataFor(job, work) }, worker.host),
          )
          hold(
            outcome === 'ended',
            `the job "${job.name}" goes on when its signal aborts; pass it on to what it waits for`,
          )
        }
        await host.node.jobs.drainContinuous(name)
        const stuck = host.node.jobs.continuous.states().filter((run) => run.plugin === name && run.status === 'stuck')
        const jobs = stuck.map((run) => `"${run.name}"`).join(', ')
        hold(stuck.length === 0, `the continuous jobs ${jobs} go on when their signal aborts`)
      })
    })
  })
}

function exampleOf(field: string, examples: Readonly<Record<string, SubscriptionExample>>): SubscriptionExample {
  const example = examples[field]
  if (example !== undefined) return example
  throw new TypeError(
    `say how Subscription.${field} is made to tell something: ` +
      `pluginContract(plugin, { subscriptions: { ${field}: { cause: async (host, n) => { ... } } } })`,
  )
}

/** @throws TestKitError CONTRACT_BROKEN */
function hold(isKept: boolean, problem: string): void {
  if (!isKept) throw new TestKitError('CONTRACT_BROKEN', problem)
}

/** What refuses a page: its size, or the field to strangers. */
const REFUSED_PAGE = /^(PAGE_TOO_LARGE|UNAUTHENTICATED)$/

/** The schema without the plugin that is tested. */
function schemaOf(plugins: readonly ConfiguredPlugin[]): GraphQLSchema {
  return printableSchema(checkPlugins(plugins))
}

function dataFor(job: QueueJob<unknown, never>, work: Readonly<Record<string, unknown>>): unknown {
  if (job.name in work) return job.input.parse(work[job.name])
  throw new TypeError(
    `say what the queue job "${job.name}" is told: pluginContract(plugin, { work: { ${job.name}: ... } })`,
  )
}
