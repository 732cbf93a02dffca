import { isLedgerModule, type LedgerModule } from './module.ts'
import { ModuleSetError } from './registry.ts'

/** Where a worker finds a module: functions cannot cross threads, so it imports the file itself. */
export interface ModuleSource {
  readonly name: string
  readonly version: number
  readonly url: string
}

export const sourcesOf = (modules: readonly LedgerModule[]): ModuleSource[] =>
  modules.map(({ name, version, url }) => ({ name, version, url }))

/** Imports ledger modules by file, name and version. @throws ModuleSetError if a file does not export its module. */
export async function loadModules(sources: readonly ModuleSource[]): Promise<LedgerModule[]> {
  return Promise.all(
    sources.map(async ({ name, version, url }) => {
      const exported: Record<string, unknown> = await import(url)
      const found = Object.values(exported).find(
        (value) => isLedgerModule(value) && value.name === name && value.version === version,
      )
      if (isLedgerModule(found)) return found
      throw new ModuleSetError(
        `${url} does not export version ${version} of the ledger module "${name}": export it, and pass import.meta.url`,
      )
    }),
  )
}
