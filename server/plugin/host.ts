import type { Audit, Custody } from './custody.ts'
import type { Events } from './events.ts'
import type { Jobs } from './jobs.ts'
import type { Metrics } from './metrics.ts'
import type { Peers } from './peers.ts'
import type { DatabaseOptions, Sql } from './sql.ts'
import type { ExtensionPoint, OptionalService, Service } from './tokens.ts'

/** What a plugin requires, by the name it wants to use it under. */
export type Requirements = Readonly<Record<string, Service<unknown> | OptionalService<unknown>>>

/** The services of `requires`, under their names. */
export type Using<R extends Requirements> = {
  readonly [K in keyof R]: R[K] extends OptionalService<infer T>
    ? T | undefined
    : R[K] extends Service<infer T>
      ? T
      : never
}

/** Structured logging, already labelled with the plugin's name. Fields named like secrets are redacted. */
export interface Log {
  debug: LogLine
  info: LogLine
  warn: LogLine
  error: LogLine
  child(fields: Record<string, unknown>): Log
  /** False where `debug` entries are thrown away, so that it is not worth making them. */
  readonly keepsDebug?: boolean
}

interface LogLine {
  (message: string): void
  (fields: Record<string, unknown>, message: string): void
}

/** Time as the node sees it. Tests put their own clock in. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Resolves after so many milliseconds; rejects with the signal's reason if that aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** What a plugin reports about itself; `message` says what is wrong, or how it is doing. */
export interface Health {
  readonly ok: boolean
  readonly message?: string
}

/** What the node gives to one plugin. */
export interface Host<Config = unknown, R extends Requirements = Requirements> {
  /** The plugin's own name. */
  readonly name: string
  /** The server's version. */
  readonly version: string
  /** The checked config, defaults filled in. */
  readonly config: Config
  /** The required services. */
  readonly use: Using<R>
  /**
   * A pool whose search_path is the plugin's own schema. A statement that is made for a request ends with it: when its
   * time is up or its client has gone, the database stops too, and a transaction is rolled back.
   */
  readonly sql: Sql
  /** How to open further connections with the same search_path, for example in a worker thread. */
  readonly database: DatabaseOptions
  readonly events: Events
  readonly jobs: Jobs
  /** The other nodes that share the database: the way to a job's leader. */
  readonly peers: Peers
  /** Already labelled with the plugin's name. */
  readonly metrics: Metrics
  /** Signs for callers whose account's secret the node keeps. */
  readonly custody: Custody
  /** The log of who did what that needs a privilege. */
  readonly audit: Audit
  readonly log: Log
  /** Aborts when the node shuts down (or gives the plugin up). */
  readonly signal: AbortSignal
  readonly clock: Clock
  /** A folder of the plugin's own for files, created when first asked for. */
  readonly dataDir: string
  /** The instance that this plugin itself provided for the token. */
  own<T>(token: Service<T>): T
  /** What the plugins contributed to a point that this plugin owns, in dependency order. */
  contributions<T>(point: ExtensionPoint<T>): readonly T[]
  /** Says which network this node is part of: what `network { name }` answers, and what sign-ins are for. */
  nameNetwork(name: string, id?: Uint8Array): void
  /** Adds a line to what `deaios start` prints, like `operator key   .deaios/execution/operator.key`. */
  banner(label: string, value: string): void
}
