import { findPackageJSON, registerHooks } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PluginProblem } from './errors.ts'

/** Packages whose objects are compared by identity, so that two copies of them do not understand each other. */
const SINGLE = /^(graphql|@pothos\/core)(\/|$)/

interface Copy {
  /** Folder of the package, with `/__dev__` for graphql's second build. */
  readonly folder: string
  /** The first module that imported it. */
  readonly importer: string
}

/** Watches imports from now on. */
export interface CopyWatch {
  /** Which modules brought in a second copy. */
  problems(): readonly PluginProblem[]
}

/**
 * Notes from where `graphql` and `@pothos/core` are loaded. To be called before they are, and before plugins: which
 * copy a plugin gets depends on its place on disk, and only the module loader knows.
 */
export function watchCopies(): CopyWatch {
  const copies = new Map<string, Copy[]>()
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context)
      const name = SINGLE.exec(specifier)?.[1]
      if (name !== undefined && resolved.url.startsWith('file:'))
        note(copies, name, resolved.url, context.parentURL ?? 'the command line')
      return resolved
    },
  })
  return {
    problems: () =>
      [...copies].flatMap(([name, [first, ...others]]) =>
        others.map(({ folder, importer }) => ({
          plugin: importer,
          code: 'SECOND_COPY' as const,
          problem: `loads a second copy of ${name} from ${folder}, and the server uses ${first?.folder}`,
          mend: `make ${name} a peer dependency of the plugin, and run npm dedupe`,
        })),
      ),
  }
}

function note(copies: Map<string, Copy[]>, name: string, url: string, parent: string): void {
  const path = fileURLToPath(url)
  const packageFile = findPackageJSON(url)
  const folder = `${packageFile === undefined ? dirname(path) : dirname(packageFile)}${path.includes('/__dev__/') ? '/__dev__' : ''}`
  const known = copies.get(name) ?? []
  if (known.some((copy) => copy.folder === folder)) return
  const importer = parent.startsWith('file:') ? fileURLToPath(parent) : parent
  copies.set(name, [...known, { folder, importer }])
}
