import type { Network } from '../genesis.ts'
import type { LedgerModule } from './module.ts'
import { ModuleSetError } from './registry.ts'

/**
 * The modules that a network uses, among those that plugins offer: a node that lacks one could not execute its blocks.
 * @throws ModuleSetError naming the one that is missing, or of another version
 */
export function modulesOf({ genesis }: Network, offered: readonly LedgerModule[]): LedgerModule[] {
  return genesis.modules.map(({ name, version }) => {
    const own = offered.find((module) => module.name === name)
    if (own === undefined) {
      throw new ModuleSetError(`the network uses the ledger module "${name}": add its plugin to deaios.config.ts`)
    }
    if (own.version === version) return own
    throw new ModuleSetError(
      `the network uses version ${version} of the module "${name}", this node has ${own.version}`,
    )
  })
}
