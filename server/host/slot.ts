import { messageOf } from '../db/errors.ts'
import type { Health, Host, Log } from '../plugin/host.ts'
import type { Job } from '../plugin/jobs.ts'
import { bounded } from './bounded.ts'
import type { CheckedPlugin } from './check.ts'
import { instrumentedJob } from './instrumented-job.ts'
import { listed } from './job-problems.ts'
import { dependenciesOf } from './order.ts'
import { makeHost, type Shared } from './plugin-host.ts'
import { PluginScope } from './plugin-scope.ts'
import type { ServiceRegistry } from './services.ts'

export type PluginState = 'STARTING' | 'RUNNING' | 'FAILED' | 'DRAINING' | 'STOPPED'

/** How a plugin is doing, for `plugins { ... }`. */
export interface PluginStatus {
  readonly name: string
  readonly version: string
  readonly status: PluginState
  /** Why it failed. */
  readonly error: string | null
  readonly dependsOn: readonly string[]
  health(): Promise<Health>
}

/** A plugin in a running node. */
export class Slot implements PluginStatus {
  readonly plugin: CheckedPlugin
  readonly host: Host<Record<string, unknown>>
  readonly #abort = new AbortController()
  #status: PluginState = 'STARTING'
  #error: string | null = null
  /** Its `start` was called, so that its `stop` must be. */
  wasStarted = false
  /** What runs on its behalf. */
  readonly scope: PluginScope
  readonly #log: Log
  readonly #services: ServiceRegistry
  #complaint = ''
  /** What it does by itself. */
  readonly jobs: readonly Job<Host<Record<string, unknown>>>[]

  constructor(plugin: CheckedPlugin, shared: Shared) {
    this.plugin = plugin
    this.host = makeHost(plugin, shared, this.#abort.signal)
    this.scope = new PluginScope(plugin.definition.name)
    // What is wrong with it may be what it lists.
    const jobs = plugin.problem === undefined ? listed(plugin.definition.jobs, this.host) : []
    this.jobs = jobs.map((job) => instrumentedJob(job, this.scope, shared.tracing))
    this.#log = this.host.log
    this.#services = shared.services
    if (plugin.problem !== undefined) {
      this.#log.error(`${plugin.problem}; going on without it`)
      this.fail(plugin.problem)
    }
  }

  get name(): string {
    return this.plugin.definition.name
  }

  get version(): string {
    return this.plugin.definition.version
  }

  get status(): PluginState {
    return this.#status
  }

  get error(): string | null {
    return this.#error
  }

  get dependsOn(): readonly string[] {
    return dependenciesOf(this.plugin.definition).map(({ name }) => name)
  }

  async health(): Promise<Health> {
    if (this.#status === 'FAILED') return { ok: false, message: this.#error ?? 'failed' }
    if (this.#status !== 'RUNNING') return { ok: false, message: `it is ${this.#status.toLowerCase()}` }
    try {
      const health = await bounded(this.name, 'health', () =>
        this.scope.run(() => this.plugin.definition.health?.(this.host) ?? { ok: true }),
      )
      this.#complaint = ''
      return health
    } catch (error) {
      this.#complain(error)
      // Anybody may ask how the node is: what went wrong inside is for its log.
      return { ok: false, message: 'it cannot say how it is; see the log' }
    }
  }

  /** Once for each reason: health is asked for every few seconds. */
  #complain(error: unknown): void {
    const complaint = messageOf(error)
    if (complaint === this.#complaint) return
    this.#complaint = complaint
    this.#log.error({ error }, `plugin "${this.name}": its health check failed`)
  }

  become(status: Exclude<PluginState, 'FAILED'>): void {
    if (this.#status !== 'FAILED') this.#status = status
  }

  /** Takes it out of service. */
  fail(reason: string): void {
    this.#status = 'FAILED'
    this.#error = reason
    this.#services.withdraw(this.name)
    this.abort(reason)
  }

  abort(reason: string): void {
    this.#abort.abort(new Error(reason))
  }
}

/** A slot for each plugin; their contributions can be read from now on. */
export function makeSlots(plugins: readonly CheckedPlugin[], shared: Shared): readonly Slot[] {
  for (const { definition } of plugins) shared.services.contribute(definition.contributes ?? [])
  return plugins.map((plugin) => new Slot(plugin, shared))
}
