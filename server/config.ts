import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { type IdentityConfig, identityConfig } from './auth/config.ts'
import { codeOf, messageOf } from './db/errors.ts'
import { type Limits, type LimitsConfig, limitsConfig, limitsOf } from './graphql/limits.ts'
import { schemaProblems } from './host/config-problems.ts'
import type { ConfiguredPlugin } from './plugin/define.ts'
import type { TracingConfig } from './tracing/index.ts'

/** What deaios.config.ts exports as default; see `defineConfig`. */
export interface DeaiosConfig {
  /** Factories' results like `execution()`, or where a plugin is: `'./my-plugin.ts'`, `'@acme/deaios-weather'`. */
  readonly plugins: readonly (ConfiguredPlugin | string)[]
  /** Where GraphQL listens; 4000 if absent, 0 for any free port. */
  readonly port?: number
  /** The address to listen on; 127.0.0.1 if absent, so that only this machine can reach it. */
  readonly hostname?: string
  /** Where everything is kept, relative to this file; `.deaios` if absent. */
  readonly dataDir?: string
  /** A PostgreSQL 16 or later to use instead of the embedded one. */
  readonly databaseUrl?: string
  /** The least serious entry to write to `<dataDir>/logs/deaios.log`; `info` if absent. */
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error'
  /** What clients may ask for, where it differs from the defaults (server/graphql/limits.ts), like `{ depth: 12 }`. */
  readonly limits?: LimitsConfig
  /** Pages of these other origins may use the API: `https://app.example`, or `*` for all. None if absent. */
  readonly origins?: readonly string[]
  /** Who may do what: sign-in, API keys, custodial accounts. */
  readonly identity?: IdentityConfig
  /** Documents that are known before anybody asks. */
  readonly documents?: DocumentsConfig
  /** Where other nodes that share the database reach this one; on this machine only, at any port, if absent. */
  readonly peers?: PeersConfig
  /** What Prometheus reads at /metrics. */
  readonly metrics?: MetricsConfig
  /** Where traces of requests, operations and jobs go; there are none if absent. */
  readonly tracing?: TracingConfig
}

export interface MetricsConfig {
  /** Whether they are served; they are if absent. */
  readonly enabled?: boolean
  /**
   * Who may read them: whoever sends it as `authorization: Bearer <token>`. Without one, programs on this machine may,
   * and keys with the scope `metrics:read`. DEAIOS_METRICS_TOKEN keeps it out of this file.
   */
  readonly token?: string
}

export interface PeersConfig {
  /** The address to listen on; 127.0.0.1 if absent. */
  readonly hostname?: string | undefined
  /** Any free one if absent. */
  readonly port?: number | undefined
  /** How the others reach it, if not by hostname and port: `wss://node-4.internal/peer`. */
  readonly url?: string | undefined
}

export interface DocumentsConfig {
  /** A JSON file `{ id: document }`, relative to this one, or a persisted query manifest of Apollo's tools. */
  readonly trusted: string
  /** Whether all other documents are refused, with DOCUMENT_NOT_TRUSTED; they are not if absent. */
  readonly only?: boolean
}

/** Gives a config its type: `export default defineConfig({ plugins: [execution()] })`. */
export const defineConfig = (config: DeaiosConfig): DeaiosConfig => config

/** Values from the command line; each beats the environment, which beats the file. */
export interface ConfigFlags {
  readonly config?: string | undefined
  readonly port?: number | undefined
  readonly host?: string | undefined
  readonly data?: string | undefined
}

/** A config with nothing left open. */
export interface ResolvedConfig {
  /** The file it came from. */
  readonly file: string
  readonly plugins: readonly (ConfiguredPlugin | string)[]
  readonly port: number
  readonly hostname: string
  /** Absolute. */
  readonly dataDir: string
  readonly databaseUrl: string | undefined
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  readonly limits: Limits
  readonly origins: readonly string[]
  /** With an absolute path. */
  readonly identity: IdentityConfig
  /** Master keys of custodial accounts, from DEAIOS_KEYSTORE_KEY. Secret. */
  readonly keystoreKey: string | undefined
  /** With an absolute path. */
  readonly documents: DocumentsConfig | undefined
  readonly peers: PeersConfig
  readonly metrics: { readonly enabled: boolean; readonly token: string | undefined }
  readonly tracing: TracingConfig | undefined
}

export type ConfigErrorCode = 'CONFIG_MISSING' | 'CONFIG_UNREADABLE' | 'CONFIG_INVALID' | 'ENVIRONMENT_INVALID'

/** The config, or a variable that overrides it, cannot be used. The message names the file and the key. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code: ConfigErrorCode

  constructor(code: ConfigErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

const port = z.int().min(0).max(65_535)

const NOT_AN_ORIGIN = 'is not an origin; write it like https://app.example, without a path'

const ConfigFile = z.object({
  plugins: z.array(z.union([z.string(), z.custom<ConfiguredPlugin>(isConfiguredPlugin)], { error: notAPlugin })),
  port: port.optional(),
  hostname: z.string().min(1).optional(),
  dataDir: z.string().min(1).optional(),
  databaseUrl: z.string().min(1).optional(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).optional(),
  limits: limitsConfig.optional(),
  origins: z.array(z.union([z.literal('*'), z.string().refine(isOrigin, NOT_AN_ORIGIN)])).optional(),
  identity: identityConfig.optional(),
  documents: z.strictObject({ trusted: z.string().min(1), only: z.boolean().optional() }).optional(),
  peers: z
    .strictObject({
      hostname: z.string().min(1).optional(),
      port: port.optional(),
      url: z.url({ protocol: /^wss?$/ }).optional(),
    })
    .optional(),
  metrics: z.strictObject({ enabled: z.boolean().optional(), token: z.string().min(16).optional() }).optional(),
  tracing: z
    .strictObject({
      endpoint: z.url({ protocol: /^https?$/ }),
      headers: z.record(z.string(), z.string()).optional(),
      sampleRatio: z.number().min(0).max(1).optional(),
      serviceName: z.string().min(1).max(100).optional(),
    })
    .optional(),
})

function isOrigin(value: string): boolean {
  return URL.canParse(value) && new URL(value).origin === value
}

function isConfiguredPlugin(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'plugin'
}

function notAPlugin({ input }: { readonly input: unknown }): string {
  return typeof input === 'function'
    ? 'is a plugin factory that was not called; write it with (), like execution()'
    : 'is neither a plugin nor the path or package name of one'
}

/**
 * Loads the config file and lays the environment (DEAIOS_PORT, DEAIOS_DATA, DATABASE_URL, DEAIOS_KEYSTORE_KEY,
 * DEAIOS_METRICS_TOKEN, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME) and the flags over it.
 * Paths from flags and environment are relative to the working folder.
 */
export async function loadConfig(
  flags: ConfigFlags = {},
  environment: NodeJS.ProcessEnv = process.env,
): Promise<ResolvedConfig> {
  const file = resolve(flags.config ?? 'deaios.config.ts')
  const config = await readConfigFile(file)
  const data = flags.data ?? (environment.DEAIOS_DATA || undefined)
  return {
    file,
    plugins: config.plugins,
    port: flags.port ?? environmentPort(environment.DEAIOS_PORT) ?? config.port ?? 4000,
    hostname: flags.host ?? config.hostname ?? '127.0.0.1',
    dataDir: data === undefined ? resolve(dirname(file), config.dataDir ?? '.deaios') : resolve(data),
    databaseUrl: environment.DATABASE_URL || config.databaseUrl,
    logLevel: config.logLevel ?? 'info',
    limits: limitsOf(config.limits),
    origins: config.origins ?? [],
    identity: {
      ...config.identity,
      keystoreKeyFile: config.identity?.keystoreKeyFile && resolve(dirname(file), config.identity.keystoreKeyFile),
    },
    keystoreKey: environment.DEAIOS_KEYSTORE_KEY || undefined,
    peers: config.peers ?? {},
    metrics: {
      enabled: config.metrics?.enabled ?? true,
      token: environment.DEAIOS_METRICS_TOKEN || config.metrics?.token,
    },
    tracing: tracingOf(config.tracing, environment),
    documents: config.documents && {
      trusted: resolve(dirname(file), config.documents.trusted),
      only: config.documents.only ?? false,
    },
  }
}

/** OpenTelemetry's own variables stand for what the file leaves out. */
function tracingOf(
  config: TracingConfig | undefined,
  { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME }: NodeJS.ProcessEnv,
): TracingConfig | undefined {
  const endpoint = OTEL_EXPORTER_OTLP_ENDPOINT || config?.endpoint
  if (endpoint === undefined) return undefined
  if (!/^https?:/.test(endpoint) || !URL.canParse(endpoint))
    throw new ConfigError(
      'ENVIRONMENT_INVALID',
      `OTEL_EXPORTER_OTLP_ENDPOINT is "${endpoint}", and must be a URL like http://localhost:4318`,
    )
  return { ...config, endpoint, serviceName: OTEL_SERVICE_NAME || config?.serviceName }
}

function environmentPort(value: string | undefined): number | undefined {
  if (value === undefined || value === '') return undefined
  const parsed = port.safeParse(/^\d+$/.test(value) ? Number(value) : value)
  if (parsed.success) return parsed.data
  throw new ConfigError('ENVIRONMENT_INVALID', `DEAIOS_PORT is "${value}", and must be a number from 0 to 65535`)
}

async function readConfigFile(file: string): Promise<z.output<typeof ConfigFile>> {
  if (!existsSync(file))
    throw new ConfigError(
      'CONFIG_MISSING',
      `there is no config file ${file}; run deaios where deaios.config.ts is, or name one with --config`,
    )
  const loaded: unknown = await import(pathToFileURL(file).href).catch((error: unknown) => {
    throw new ConfigError('CONFIG_UNREADABLE', `cannot read ${file}: ${whyUnreadable(error)}`, error)
  })
  if (typeof loaded !== 'object' || loaded === null || !('default' in loaded))
    throw new ConfigError(
      'CONFIG_INVALID',
      `${file} has no default export; write export default defineConfig({ plugins: [...] })`,
    )
  const { value, problems } = schemaProblems(ConfigFile, loaded.default)
  if (problems.length > 0) throw new ConfigError('CONFIG_INVALID', `${file}: ${problems.join('; ')}`)
  return value ?? { plugins: [] }
}

/** Node puts the place of a syntax error in the first line of the stack only. */
function whyUnreadable(error: unknown): string {
  const reason = messageOf(error).split('\n')[0] ?? ''
  if (!(error instanceof SyntaxError)) return codeOf(error) ? `${reason} (${codeOf(error)})` : reason
  const place = error.stack?.split('\n')[0]?.replace('file://', '') ?? ''
  return place.includes(':') && !place.includes(reason) ? `${reason} at ${place}` : reason
}
