import { isLedgerModule, type LedgerModule } from './module.ts'
import { ModuleSetError } from './registry.ts'

/** Where a worker finds a module: functions cannot cross threads, so it imports the file itself. */
export interface ModuleSource {
  readonly name: string
  readonly url: string
}

/** Imports ledger modules by file and name. @throws ModuleSetError if a file does not export its module. */
export async function loadModules(sources: readonly ModuleSource[]): Promise<LedgerModule[]> {
  return Promise.all(
    sources.map(async ({ name, url }) => {
      const exported: Record<string, unknown> = await import(url)
      const found = Object.values(exported).find((value) => isLedgerModule(value) && value.name === name)
      if (isLedgerModule(found)) return found
      throw new ModuleSetError(
        `${url} does not export the ledger module "${name}": export it, and pass import.meta.url`,
      )
    }),
  )
}
