import { existsSync, readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { dirname, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import semver from 'semver'
import { z } from 'zod'
import { messageOf } from '../db/errors.ts'
import type { ConfiguredPlugin } from '../plugin/define.ts'
import { API_VERSION } from '../version.ts'
import type { PluginProblem, PluginProblemCode } from './errors.ts'

/** The plugins that could be loaded, and what is wrong with the others. */
export interface LoadedPlugins {
  readonly plugins: readonly ConfiguredPlugin[]
  readonly problems: readonly PluginProblem[]
}

/**
 * Loads the plugins that deaios.config.ts lists by path or package name; the others are there already. A package is
 * checked by its package.json before any of its code runs.
 *
 * @param file the config file: paths are relative to it, and packages are looked up from it
 */
export async function loadPlugins(
  entries: readonly (ConfiguredPlugin | string)[],
  file: string,
): Promise<LoadedPlugins> {
  const plugins: ConfiguredPlugin[] = []
  const problems: PluginProblem[] = []
  for (const entry of entries) {
    const loaded = typeof entry === 'string' ? await loadByName(entry, file) : entry
    if ('kind' in loaded) plugins.push(loaded)
    else problems.push(loaded)
  }
  return { plugins, problems }
}

async function loadByName(name: string, file: string): Promise<ConfiguredPlugin | PluginProblem> {
  const located = /^\.{0,2}\//.test(name) ? locateFile(name, file) : locatePackage(name, file)
  if (typeof located !== 'string') return located
  try {
    const module: unknown = await import(pathToFileURL(located).href)
    return configuredOf(module) ?? notAPlugin(name)
  } catch (error) {
    return problem(name, 'NOT_A_PLUGIN', `cannot be loaded: ${messageOf(error)}`, `correct ${located}`)
  }
}

const problem = (plugin: string, code: PluginProblemCode, what: string, mend: string): PluginProblem => ({
  plugin,
  code,
  problem: what,
  mend,
})

const notAPlugin = (name: string): PluginProblem =>
  problem(name, 'NOT_A_PLUGIN', 'has no plugin as default export', 'write export default definePlugin({ ... })')

function configuredOf(module: unknown): ConfiguredPlugin | undefined {
  const value = typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined
  if (isConfigured(value)) return value
  if (typeof value !== 'function' || !('definition' in value)) return undefined
  const made: unknown = value()
  return isConfigured(made) ? made : undefined
}

const isConfigured = (value: unknown): value is ConfiguredPlugin =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'plugin'

function locateFile(name: string, file: string): string | PluginProblem {
  const path = resolve(dirname(file), name)
  return existsSync(path) ? path : problem(name, 'NOT_FOUND', `there is no ${path}`, `correct the path in ${file}`)
}

/** The part of package.json that concerns us. */
const PackageJson = z.object({
  main: z.string().optional(),
  exports: z.unknown().optional(),
  deaios: z.object({ api: z.string() }).optional(),
})

function locatePackage(name: string, file: string): string | PluginProblem {
  const packageFile = findPackage(name, file)
  if (packageFile === undefined)
    return problem(name, 'NOT_FOUND', 'is not installed', `run npm install ${name}, or remove it from ${file}`)
  const parsed = PackageJson.safeParse(JSON.parse(readFileSync(packageFile, 'utf8')))
  if (!parsed.success)
    return problem(name, 'NOT_A_PLUGIN', `has an unusable package.json: ${parsed.error.issues[0]?.message}`, `mend it`)
  const { deaios, exports, main } = parsed.data
  if (deaios !== undefined && !semver.satisfies(API_VERSION, deaios.api))
    return problem(
      name,
      'API_RANGE',
      `needs plugin API ${deaios.api}, and this server offers ${API_VERSION}`,
      'install a version that fits',
    )
  const entry = entryOf(exports) ?? main ?? 'index.js'
  const path = resolve(dirname(packageFile), entry)
  if (/^\.[cm]?ts$/.test(extname(path)))
    return problem(name, 'NOT_BUILT', `ships TypeScript (${entry}) only`, 'build it to JavaScript before publishing it')
  if (!existsSync(path))
    return problem(name, 'NOT_BUILT', `ships no ${entry}`, 'build it before publishing it, or install it again')
  return path
}

function findPackage(name: string, file: string): string | undefined {
  try {
    return findPackageJSON(name, pathToFileURL(file))
  } catch {
    return undefined
  }
}

/** The target of the package's main entry for `import`. */
function entryOf(exports: unknown): string | undefined {
  if (typeof exports === 'string') return exports
  if (typeof exports !== 'object' || exports === null) return undefined
  const conditions: Record<string, unknown> = { ...exports }
  for (const key of ['.', 'node', 'import', 'module-sync', 'default']) {
    const target = key in conditions ? entryOf(conditions[key]) : undefined
    if (target !== undefined) return target
  }
  return undefined
}
