import { beginCall, endCall } from './determinism.ts'
import type { AnyCall, LedgerModule } from './module.ts'
import { ROOT_MESSAGE_WEIGHT } from './rules.ts'
import { ExhaustedError, readThrown } from './thrown.ts'

/** The most messages of one call that a call may declare. */
const MAX_SENDS = 10_000
/** Far beyond what fits into a block. */
const MAX_WEIGHT = 10n ** 9n

/** Where calls run: in shards, or on the root chain. */
export type Home = LedgerModule['home']

/** A call that the ledger can run. */
export interface RegisteredCall {
  /** `<module>.<call>` */
  readonly name: string
  readonly module: LedgerModule
  readonly call: AnyCall
  /** Weight of everything that it may send, all levels deep. */
  readonly sentWeight: number
}

/** What is wrong with the set of ledger modules, and how to mend it. */
export class ModuleSetError extends Error {
  override readonly name = 'ModuleSetError'
  readonly code = 'MODULE_SET'
}

/** The calls that this network's ledger knows, by name. */
export class CallRegistry {
  readonly modules: readonly LedgerModule[]
  readonly #calls = new Map<string, RegisteredCall>()

  /** @throws ModuleSetError for duplicate modules, unknown targets of sends, cycles of sends. */
  constructor(modules: readonly LedgerModule[]) {
    this.modules = modules
    const definitions = collect(modules)
    const weights = new Map<string, number>()
    for (const [name, { module, call }] of definitions) {
      this.#calls.set(name, { name, module, call, sentWeight: sentWeight(name, definitions, weights, []) })
    }
  }

  /** A call that runs at this home; undefined for those that run at the other one. */
  get(name: string, home: Home = 'shard'): RegisteredCall | undefined {
    const found = this.#calls.get(name)
    return found?.module.home === home ? found : undefined
  }

  module(name: string): LedgerModule | undefined {
    return this.modules.find((module) => module.name === name)
  }

  /**
   * Weight of one call and all that it may send; undefined if its module does not say a proper one. Arguments must have
   * been checked. @throws ExhaustedError
   */
  weight(registered: RegisteredCall, args: unknown): number | undefined {
    const own = saidWeight(registered.name, () => registered.call.weight(args as never))
    return own === undefined ? undefined : atHome(registered.module.home, own) + registered.sentWeight
  }
}

type Definitions = ReadonlyMap<string, { readonly module: LedgerModule; readonly call: AnyCall }>

function collect(modules: readonly LedgerModule[]): Definitions {
  const definitions = new Map<string, { module: LedgerModule; call: AnyCall }>()
  const names = new Set<string>()
  for (const module of modules) {
    if (names.has(module.name)) {
      throw new ModuleSetError(`two ledger modules are named "${module.name}"; rename one of them`)
    }
    names.add(module.name)
    for (const [callName, call] of Object.entries(module.calls)) {
      definitions.set(`${module.name}.${callName}`, { module, call })
    }
  }
  return definitions
}

/** Sum of the weights of all declared sends, recursively; refuses cycles, which would have no bound. */
function sentWeight(name: string, definitions: Definitions, known: Map<string, number>, path: string[]): number {
  const before = known.get(name)
  if (before !== undefined) return before
  if (path.includes(name)) {
    throw new ModuleSetError(`sends form a cycle: ${[...path, name].join(' -> ')}; a call must not lead back to itself`)
  }
  const definition = definitions.get(name)
  if (definition === undefined) {
    throw new ModuleSetError(`${path.at(-1)} declares that it sends "${name}", which no ledger module has`)
  }
  let total = 0
  for (const [target, count] of Object.entries(definition.call.sends)) {
    if (!Number.isInteger(count) || count < 0 || count > MAX_SENDS) {
      throw new ModuleSetError(`${name} declares ${count} sends of "${target}": it may be 0 to ${MAX_SENDS}`)
    }
    const sent = sentWeight(target, definitions, known, [...path, name])
    total += count * (constantWeight(target, definitions) + sent)
  }
  known.set(name, total)
  return total
}

function constantWeight(name: string, definitions: Definitions): number {
  const definition = definitions.get(name)
  const weight = definition?.call.weight
  if (definition === undefined || weight === undefined || weight.length > 0) {
    throw new ModuleSetError(`"${name}" is sent by other calls, so its weight must not depend on arguments`)
  }
  const own = saidWeight(name, weight as () => bigint)
  if (own === undefined) throw new ModuleSetError(`the weight of "${name}" must be a bigint, 0n or more`)
  return atHome(definition.module.home, own)
}

/** What a module says that a call weighs. The saying is watched like a call. @throws ExhaustedError */
function saidWeight(name: string, weight: () => unknown): number | undefined {
  beginCall()
  try {
    const said = weight()
    return typeof said === 'bigint' && said >= 0n && said <= MAX_WEIGHT ? Number(said) : undefined
  } catch (error) {
    if (readThrown(error).kind === 'exhausted') throw new ExhaustedError(name)
    return undefined
  } finally {
    endCall()
  }
}

const atHome = (home: Home, weight: number): number =>
  home === 'root' ? Math.max(ROOT_MESSAGE_WEIGHT, weight) : weight
