import { SchemaError } from '../../../schema/index.ts'
import { type ConfigFlags, loadConfig } from '../../config.ts'
import { DatabaseError } from '../../db/errors.ts'
import { readMigrations } from '../../db/migrate.ts'
import { type CheckedPlugin, checkPlugins } from '../../host/check.ts'
import type { CopyWatch } from '../../host/copies.ts'
import { PluginError, type PluginProblem } from '../../host/errors.ts'
import { loadPlugins } from '../../host/load.ts'
import { printableSchema } from '../../host/schema.ts'

/** What was found. */
export interface Diagnosis {
  /** Those that could be loaded, in the order in which they start. */
  readonly plugins: readonly { readonly name: string; readonly version: string }[]
  readonly problems: readonly Found[]
}

/** A problem with a plugin, its schema or its migrations; `mend` is empty where `problem` says it already. */
export interface Found extends Omit<PluginProblem, 'code'> {
  readonly code: string
}

/**
 * Makes the checks that a start makes before it runs anything: nothing is opened, and no plugin starts.
 * @throws ConfigError if there is no config to check
 */
export async function diagnose(flags: ConfigFlags, copies: CopyWatch): Promise<Diagnosis> {
  const config = await loadConfig(flags)
  const loaded = await loadPlugins(config.plugins, config.file)
  const plugins = loaded.plugins.map(({ definition: { name, version } }) => ({ name, version }))
  const early = [...loaded.problems, ...copies.problems()]
  const { checked, problems } = check(() => checkPlugins(loaded.plugins, early))
  if (checked === undefined) return { plugins, problems }
  return {
    plugins: checked.map(({ definition: { name, version } }) => ({ name, version })),
    problems: [...(await migrationProblems(checked)), ...schemaProblems(checked)],
  }
}

function check(work: () => readonly CheckedPlugin[]): {
  readonly checked?: readonly CheckedPlugin[]
  readonly problems: readonly Found[]
} {
  try {
    return { checked: work(), problems: [] }
  } catch (error) {
    if (error instanceof PluginError) return { problems: error.problems }
    throw error
  }
}

async function migrationProblems(plugins: readonly CheckedPlugin[]): Promise<readonly Found[]> {
  const problems: Found[] = []
  for (const { definition } of plugins) {
    if (definition.migrations === undefined) continue
    try {
      await readMigrations(definition.name, definition.migrations)
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error
      problems.push({
        plugin: definition.name,
        code: error.code,
        problem: error.message.replace(/^plugin "[^"]*": /, ''),
        mend: '',
      })
    }
  }
  return problems
}

function schemaProblems(plugins: readonly CheckedPlugin[]): readonly Found[] {
  try {
    printableSchema(plugins)
    return []
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error
    return error.problems.map(({ owner, code, message }) => ({ plugin: owner, code, problem: message, mend: '' }))
  }
}
