import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'

const repository = join(import.meta.dirname, '../..')
const execute = promisify(execFile)

const Needs = z.record(z.string(), z.string()).default({})
const Manifest = z.object({
  name: z.string(),
  version: z.string(),
  dependencies: Needs,
  optionalDependencies: Needs,
  peerDependencies: Needs,
})

/** Runs a command of a project, with the programs that its packages would have put on the path. */
export async function runIn(folder: string, program: string, words: readonly string[]): Promise<string> {
  const path = `${join(folder, 'node_modules/.bin')}:${join(repository, 'node_modules/.bin')}:${process.env.PATH}`
  try {
    const env = { ...process.env, PATH: path, NODE_PATH: '' }
    const { stdout } = await execute(program, [...words], { cwd: folder, env, maxBuffer: 16 << 20 })
    return stdout
  } catch (error) {
    const said =
      error instanceof Error && 'stdout' in error && 'stderr' in error ? `${error.stdout}\n${error.stderr}` : ''
    throw new Error(`${program} ${words.join(' ')} failed in ${folder}:\n${said}`, { cause: error })
  }
}

/** `npm pack`: gives the archive's path. */
export async function pack(folder: string, into: string): Promise<string> {
  await runIn(folder, 'npm', ['pack', '--loglevel', 'error', '--pack-destination', into])
  const { name, version } = Manifest.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')))
  return join(into, `${name}-${version}.tgz`)
}

/**
 * Installs archives into a project as npm does, without a registry: each is unpacked, and what it says it needs is
 * linked to this repository's copy. What it uses without saying so is not there.
 */
export async function install(
  project: string,
  archives: readonly string[],
  tools: readonly string[] = [],
): Promise<void> {
  const modules = join(project, 'node_modules')
  await mkdir(modules, { recursive: true })
  for (const archive of archives) {
    await execute('tar', ['-xzf', archive, '-C', modules])
    const { name } = Manifest.parse(JSON.parse(await readFile(join(modules, 'package/package.json'), 'utf8')))
    await rm(join(modules, name), { recursive: true, force: true })
    await rename(join(modules, 'package'), join(modules, name))
    const manifest = Manifest.parse(JSON.parse(await readFile(join(modules, name, 'package.json'), 'utf8')))
    const needs = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies }
    for (const need of Object.keys(needs)) if (need !== 'vitest') await link(modules, need)
  }
  for (const tool of tools) await link(modules, tool)
}

async function link(modules: string, name: string): Promise<void> {
  const target = join(repository, 'node_modules', name)
  // The databases of other platforms are not there; what was unpacked is there already.
  if (!existsSync(target) || existsSync(join(modules, name))) return
  await mkdir(dirname(join(modules, name)), { recursive: true })
  await symlink(target, join(modules, name))
}
