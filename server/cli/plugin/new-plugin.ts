import { existsSync } from 'node:fs'
import { glob, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CommandError } from '../command-error.ts'
import { pluginManifest } from './plugin-manifest.ts'
import { pluginName, renamed } from './plugin-name.ts'

/** The example that a new plugin is a copy of, under another name. */
const EXAMPLE = pluginName('journal')
const exampleFolder = fileURLToPath(new URL('../../../examples/journal/', import.meta.url))
const IGNORED = 'node_modules/\ndist/\n.deaios/\n*.log\n'

/** What was written, and where. */
export interface NewPlugin {
  readonly folder: string
  /** Relative to the folder. */
  readonly files: readonly string[]
}

/**
 * Writes a plugin that works: ledger module, table, types, subscription, jobs and a test, in a package of its own.
 *
 * @param name the plugin's name
 * @param folder where to; it must be empty, or not there yet
 * @throws CommandError NAME_INVALID | FOLDER_NOT_EMPTY
 */
export async function newPlugin(name: string, folder: string): Promise<NewPlugin> {
  const to = pluginName(name)
  const target = resolve(folder)
  if (existsSync(target) && (await readdir(target)).length > 0)
    throw new CommandError('FOLDER_NOT_EMPTY', `${target} is not empty; nothing was written. Name another with --in`)
  const texts = new Map([
    ['package.json', pluginManifest(name)],
    ['.gitignore', IGNORED],
  ])
  for await (const file of glob('**/*.{ts,sql,json,md}', {
    cwd: exampleFolder,
    exclude: ['node_modules', 'dist', '.deaios'],
  }))
    texts.set(renamed(file, EXAMPLE, to), renamed(await readFile(join(exampleFolder, file), 'utf8'), EXAMPLE, to))
  for (const [file, text] of texts) {
    await mkdir(dirname(join(target, file)), { recursive: true })
    await writeFile(join(target, file), text, { flag: 'wx' })
  }
  return { folder: target, files: [...texts.keys()].sort() }
}
