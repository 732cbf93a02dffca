import { execFile } from 'node:child_process'
import { chmod, cp, glob, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { publishedManifest } from './manifest.ts'

const root = join(import.meta.dirname, '..')
const execute = promisify(execFile)

/** What the package ships beside code: read at run time, or by people. */
const ASSETS = [
  'README.md',
  'docs/*.md',
  'schema/schema.graphql',
  '{server,plugins}/**/migrations/*.sql',
  // Among them what `deaios plugin new` copies.
  'examples/**/*.{ts,sql,json,md}',
] as const
const NOT_SHIPPED = ['**/fixtures/**', '**/node_modules/**', 'examples/**/dist/**']

/** The package cannot be built; the message says why. */
export class BuildError extends Error {
  override readonly name = 'BuildError'
  readonly code = 'BUILD_FAILED'
}

/**
 * Builds the package that is published: JavaScript with types in the repository's own folders, beside them what is read
 * at run time, and a package.json that points at them.
 *
 * @param folder where to; whatever is there is replaced
 * @throws BuildError with what the compiler says
 */
export async function buildPackage(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await compile(join(root, 'tsconfig.build.json'), folder)
  for await (const asset of glob(ASSETS, { cwd: root, exclude: NOT_SHIPPED })) {
    await mkdir(dirname(join(folder, asset)), { recursive: true })
    await cp(join(root, asset), join(folder, asset))
  }
  await writeFile(join(folder, 'package.json'), publishedManifest(await readFile(join(root, 'package.json'), 'utf8')))
  await chmod(join(folder, 'server/main.js'), 0o755)
}

async function compile(project: string, folder: string): Promise<void> {
  try {
    await execute(join(root, 'node_modules/.bin/tsc'), ['-p', project, '--outDir', folder], { cwd: root })
  } catch (error) {
    const said = error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error)
    throw new BuildError(`the package does not compile:\n${said}`, { cause: error })
  }
}
