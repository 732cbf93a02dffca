import type { RootView } from '../root/root-view.ts'
import type { ModuleLibrary } from './module-library.ts'

/** A version of a ledger module: what the network makes of it, and whether this node can execute it. */
export interface ModuleState {
  readonly name: string
  readonly version: number
  /** Root height from which on the network uses it; null if it does not. */
  readonly activeFrom: number | null
  /** In use; from a later root height on; until another version took its place; or not at all. */
  readonly status: 'ACTIVE' | 'SCHEDULED' | 'ENDED' | 'UNUSED'
  /** Why this node cannot execute blocks that use it, and how to mend that; null if it can. */
  readonly problem: string | null
}

/** All versions of ledger modules that the network knows or this node has, by name and version. */
export function moduleStates(library: ModuleLibrary, view: RootView, height: number): ModuleState[] {
  const states: ModuleState[] = []
  const known = new Set<string>()
  for (const [name, versions] of view.modules) {
    // The same version may come back: then it is there twice.
    const active = versions.findLastIndex(([, activeFrom]) => activeFrom <= height)
    for (const [i, [version, activeFrom]] of versions.entries()) {
      const status = i > active ? 'SCHEDULED' : i === active ? 'ACTIVE' : 'ENDED'
      const problem = library.problemOf(view.modulesAt(activeFrom)) ?? null
      states.push({ name, version, activeFrom, status, problem })
      known.add(`${name} ${version}`)
    }
  }
  const last = view.modulesAt(Number.POSITIVE_INFINITY)
  for (const { name, version } of library.modules) {
    if (known.has(`${name} ${version}`)) continue
    const problem = library.problemOf(new Map([...last, [name, version]])) ?? null
    states.push({ name, version, activeFrom: null, status: 'UNUSED', problem })
  }
  return states.sort((a, b) => (a.name === b.name ? a.version - b.version : a.name < b.name ? -1 : 1))
}
