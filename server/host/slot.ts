import { messageOf } from '../db/errors.ts'
import type { Health, Host } from '../plugin/host.ts'
import type { Job } from '../plugin/jobs.ts'
import { bounded } from './bounded.ts'
import type { CheckedPlugin } from './check.ts'
import { listed } from './job-problems.ts'
import { dependenciesOf } from './order.ts'
import { makeHost, type Shared } from './plugin-host.ts'

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
  /** What it does by itself. */
  readonly jobs: readonly Job<Host<Record<string, unknown>>>[]

  constructor(plugin: CheckedPlugin, shared: Shared) {
    this.plugin = plugin
    this.host = makeHost(plugin, shared, this.#abort.signal)
    this.jobs = listed(plugin.definition.jobs, this.host)
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
      return await bounded(this.name, 'health', () => this.plugin.definition.health?.(this.host) ?? { ok: true })
    } catch (error) {
      return { ok: false, message: messageOf(error) }
    }
  }

  become(status: Exclude<PluginState, 'FAILED'>): void {
    if (this.#status !== 'FAILED') this.#status = status
  }

  /** Takes it out of service. */
  fail(reason: string): void {
    this.#status = 'FAILED'
    this.#error = reason
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
