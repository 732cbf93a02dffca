import type { RootView } from '../root/root-view.ts'
import type { ModuleLibrary, ModuleSet } from './module-library.ts'
import { ModuleSetError } from './registry.ts'

/** A set of modules, and the root height from which on it is used. */
export interface ScheduledSet {
  readonly from: number
  readonly set: ModuleSet
}

/** The set in use at a root height, then one for each switch that the root chain has scheduled behind it. */
export function moduleSchedule(view: RootView, height: number): ScheduledSet[] {
  const switches = new Set<number>()
  for (const versions of view.modules.values())
    for (const [, activeFrom] of versions) if (activeFrom > height) switches.add(activeFrom)
  return [height, ...[...switches].sort((a, b) => a - b)].map((from) => ({ from, set: view.modulesAt(from) }))
}

/**
 * What this node lacks for blocks from a root height on, or between two; undefined if nothing.
 * @returns `from`: the first root height whose blocks it could not make; `message`: what is missing, and how to mend it
 */
export function lackOf(
  library: ModuleLibrary,
  view: RootView,
  height: number,
  until = Number.POSITIVE_INFINITY,
): { readonly from: number; readonly message: string } | undefined {
  for (const { from, set } of moduleSchedule(view, height)) {
    if (from > until) return undefined
    const problem = library.problemOf(set)
    if (problem === undefined) continue
    return { from, message: from > height ? `from root height ${from} on ${problem}` : problem }
  }
  return undefined
}

/** Without what the network uses, or will use, its blocks cannot be executed. @throws ModuleSetError naming it */
export function mustHaveModules(library: ModuleLibrary, view: RootView, height: number, until?: number): void {
  const lack = lackOf(library, view, height, until)
  if (lack !== undefined) throw new ModuleSetError(lack.message)
}
