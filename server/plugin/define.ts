import type { z } from 'zod'
import type { Builder, Context } from '../../schema/index.ts'
import type { Health, Host, Requirements } from './host.ts'
import type { HttpRoute } from './http.ts'
import type { Job } from './jobs.ts'
import type { ExtensionPoint, Service, Topic } from './tokens.ts'

/** A plugin's config: an object schema. Keys that it does not know are refused. */
export type ConfigSchema = z.ZodObject

/** Service tokens, each beside an implementation. */
export type ServicePairs = readonly (readonly [token: Service<unknown>, implementation: unknown])[]

/** Extension points, each beside what is contributed to it. */
export type ContributionPairs = readonly (readonly [point: ExtensionPoint<unknown>, contribution: unknown])[]

/** Service tokens, each beside an implementation of its type. */
export type ServicePairsOf<S extends readonly unknown[]> = {
  readonly [K in keyof S]: readonly [token: Service<S[K]>, implementation: NoInfer<S[K]>]
}

/** Extension points, each beside a contribution of its type. */
export type ContributionPairsOf<X extends readonly unknown[]> = {
  readonly [K in keyof X]: readonly [point: ExtensionPoint<X[K]>, contribution: NoInfer<X[K]>]
}

type Async<T> = T | Promise<T>

/**
 * A list; or a function of the host that gives one, which lets what is written in place see the host's own type. The
 * function is called before the node runs: like `graphql`, it touches services and `host.sql` only in what it returns.
 */
export type Listed<T, H> = readonly T[] | { list(host: H): readonly T[] }['list']

/**
 * A plugin: everything it contributes, declared. The functions run once for each host, in the order of the fields
 * here. They are methods so that plugins of all config types fit into one list.
 */
export interface PluginDefinition<
  C extends ConfigSchema = ConfigSchema,
  R extends Requirements = Requirements,
  S extends readonly unknown[] = readonly unknown[],
  X extends readonly unknown[] = readonly unknown[],
> {
  /** Unique; also its Postgres schema and its label in logs. Lower case letters, digits and `_`. */
  readonly name: string
  /** Semver. */
  readonly version: string
  /** The range of plugin API versions that it works with, like `^1.0.0`. */
  readonly api: string
  /** Plugins it needs, by name, with a semver range. A name that begins with `?` may be absent. */
  readonly dependsOn?: Readonly<Record<string, string>>
  readonly config?: C
  /** Service tokens, under the names that `host.use` gives them. */
  readonly requires?: R
  /** Other plugins' extension points, each with what this plugin adds. */
  readonly contributes?: ContributionPairsOf<X>
  /** A folder of NNN-name.sql files: forward only, checksummed. */
  readonly migrations?: URL
  /**
   * Scopes of its fields that every account has for itself: people have them by signing in, and may give them to their
   * keys. All others are the operator's to give.
   */
  readonly accountScopes?: readonly string[]
  /**
   * What becomes of an error of its code that nobody caught: the node logs it and goes on (`continue`, the default), or
   * ends (`end`), for a plugin whose state would be in doubt.
   */
  readonly onUncaught?: 'continue' | 'end'
  /** The topics it publishes. */
  readonly topics?: readonly Topic<unknown>[]
  /** What it does by itself: by the clock, from a queue, or all the time. */
  readonly jobs?: Listed<Job<Host<z.output<C>, R>>, Host<z.output<C>, R>>
  /** What it serves beside GraphQL. */
  readonly http?: Listed<HttpRoute<Host<z.output<C>, R>>, Host<z.output<C>, R>>
  /** Builds its services; synchronous. The services of `requires` are ready by then. */
  provides?(host: Host<z.output<C>, R>): ServicePairsOf<S>
  /** Adds types and fields. Services and `host.sql` may be touched in resolvers only. */
  graphql?(builder: Builder, host: Host<z.output<C>, R>): void
  start?(host: Host<z.output<C>, R>): Async<void>
  /** Runs before each query and mutation of a client. A coded error (`apiError`) refuses the request. */
  beforeRequest?(context: Context, host: Host<z.output<C>, R>): Async<void>
  health?(host: Host<z.output<C>, R>): Async<Health>
  /** Takes no new work and finishes what is running. */
  drain?(host: Host<z.output<C>, R>): Async<void>
  stop?(host: Host<z.output<C>, R>): Async<void>
}

/** How the node treats one plugin. */
export interface PluginOptions {
  /** `abort` (the default) ends the start; `continue` leaves the plugin, and what needs it, out of service. */
  readonly onBootFailure?: 'abort' | 'continue'
}

/** A definition with the config that deaios.config.ts gave it; the host checks it. */
export interface ConfiguredPlugin {
  readonly kind: 'plugin'
  readonly definition: PluginDefinition
  readonly config: unknown
  readonly options: PluginOptions
}

/** The config is asked for exactly if the schema has a key without default. */
type FactoryArguments<C extends ConfigSchema> =
  Record<never, never> extends z.input<C>
    ? [config?: z.input<C>, options?: PluginOptions]
    : [config: z.input<C>, options?: PluginOptions]

/** What a plugin's module exports as default. */
export interface PluginFactory<C extends ConfigSchema = ConfigSchema> {
  (...args: FactoryArguments<C>): ConfiguredPlugin
  readonly definition: PluginDefinition
}

/** The config of a plugin without `config`: no key at all. */
export type NoConfig = z.ZodObject<Record<never, never>>

/**
 * Defines a plugin and gives its factory, to be called in deaios.config.ts. Nothing is checked or run here: the host
 * checks all plugins together and reports every problem at once.
 */
export function definePlugin<
  C extends ConfigSchema = NoConfig,
  const R extends Requirements = Record<never, never>,
  const S extends readonly unknown[] = readonly [],
  const X extends readonly unknown[] = readonly [],
>(definition: PluginDefinition<C, R, S, X>): PluginFactory<C> {
  const configure = (config?: z.input<C>, options: PluginOptions = {}): ConfiguredPlugin =>
    Object.freeze({ kind: 'plugin', definition, config: config ?? {}, options })
  return Object.freeze(Object.assign(configure, { definition }))
}
