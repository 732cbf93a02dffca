import type { RootView } from '../root/root-view.ts'
import { type LedgerModule, MODULE_NAME } from './module.ts'
import { CallRegistry, ModuleSetError } from './registry.ts'

/** The versions of modules that a ledger uses at a time, by name. */
export type ModuleSet = ReadonlyMap<string, number>

/** Registries that are kept. Around a switch two are in use. */
const MAX_REGISTRIES = 8

/** All versions of all ledger modules that this node has, and the registry of each set of them. */
export class ModuleLibrary {
  readonly #modules = new Map<string, LedgerModule>()
  readonly #registries = new Map<string, CallRegistry>()

  /** @throws ModuleSetError if two have the same name and version, or the ledger could not name one */
  constructor(modules: readonly LedgerModule[]) {
    for (const module of modules) {
      if (!MODULE_NAME.test(module.name) || !Number.isSafeInteger(module.version) || module.version < 1) {
        throw new ModuleSetError(
          `"${module.name}", version ${module.version}: a ledger module is named by a-z, A-Z, 0-9 and _, beginning with a-z, and its version is a whole number from 1`,
        )
      }
      const key = keyOf(module.name, module.version)
      if (this.#modules.has(key)) {
        throw new ModuleSetError(
          `two ledger modules are version ${module.version} of "${module.name}"; rename one, or raise its version`,
        )
      }
      this.#modules.set(key, module)
    }
  }

  get modules(): readonly LedgerModule[] {
    return [...this.#modules.values()]
  }

  get(name: string, version: number): LedgerModule | undefined {
    return this.#modules.get(keyOf(name, version))
  }

  /**
   * The calls of a set. The same object as long as the set is the same.
   * @throws ModuleSetError naming what is missing here, or what does not fit together
   */
  registryOf(set: ModuleSet): CallRegistry {
    const key = [...set]
      .map(([name, version]) => keyOf(name, version))
      .sort()
      .join()
    const known = this.#registries.get(key)
    if (known !== undefined) return known
    const registry = new CallRegistry([...set].map(([name, version]) => this.#mustHave(name, version)))
    const [oldest] = this.#registries.keys()
    if (this.#registries.size >= MAX_REGISTRIES && oldest !== undefined) this.#registries.delete(oldest)
    this.#registries.set(key, registry)
    return registry
  }

  /** The calls that a block knows whose cursor is at this root height. `view` must be as of it. @throws ModuleSetError */
  registryAt(view: RootView, height: number): CallRegistry {
    return this.registryOf(view.modulesAt(height))
  }

  /** What is wrong with a set on this node, and how to mend it; undefined if it can be used. */
  problemOf(set: ModuleSet): string | undefined {
    try {
      this.registryOf(set)
      return undefined
    } catch (error) {
      if (error instanceof ModuleSetError) return error.message
      throw error
    }
  }

  /** The newest version of each: what a new network begins with. */
  newest(): ModuleSet {
    const newest = new Map<string, number>()
    for (const { name, version } of this.#modules.values())
      newest.set(name, Math.max(version, newest.get(name) ?? version))
    return newest
  }

  #mustHave(name: string, version: number): LedgerModule {
    const module = this.get(name, version)
    if (module !== undefined) return module
    const others = this.modules.filter((other) => other.name === name).map((other) => other.version)
    throw new ModuleSetError(
      others.length === 0
        ? `the network uses the ledger module "${name}", version ${version}: add its plugin to deaios.config.ts`
        : `the network uses version ${version} of the ledger module "${name}", this node has ${others.join(' and ')}: ` +
            `install the release of its plugin that brings version ${version}`,
    )
  }
}

/** Module names have no spaces. */
const keyOf = (name: string, version: number): string => `${name} ${version}`
