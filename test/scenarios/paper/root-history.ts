import type { Genesis } from '../../../protocol/index.ts'
import type { PlannedModule } from '../programs/program.ts'
import { ACCOUNT_ON_PAPER } from './account-on-paper.ts'
import { type PaperModule, PaperSet } from './paper-modules.ts'
import { moduleOnPaper } from './program-on-paper.ts'
import { exportsOf, type RootPages } from './root-on-paper.ts'

/** What a block may know of the root chain. */
export interface PaperView {
  readonly realms: ReadonlySet<number>
  readonly modules: ReadonlyMap<string, readonly (readonly [version: number, from: number])[]>
}

/** What the root chain exported after each root block, and the modules of shards that follow from it. */
export class RootHistory {
  readonly pages: RootPages
  readonly #views: { readonly height: number; readonly view: PaperView }[] = []
  readonly #known: ReadonlyMap<string, PaperModule>
  readonly #sets = new Map<string, PaperSet>()

  constructor({ shards, name, modules }: Genesis, plans: readonly PlannedModule[], salted: ReadonlySet<string>) {
    this.pages = {
      shards: new Map(shards.map((id) => [id, { from: 0, parent: null, until: null }])),
      realms: new Map([[0, { creator: null, name }]]),
      modules: new Map(modules.map((module) => [module.name, [[module.version, 0]] as const])),
    }
    const known = plans.map((plan) => [`${plan.name} ${plan.version}`, moduleOnPaper(plan, salted)] as const)
    this.#known = new Map([...known, ['account 1', ACCOUNT_ON_PAPER]])
    this.keep(0)
  }

  /** The pages are as of this root block: nothing changes them before the next one. */
  keep(height: number): void {
    const { realms, modules } = this.pages
    this.#views.push({ height, view: { realms: new Set(realms.keys()), modules: new Map(modules) } })
  }

  /** As of a root block. */
  at(cursor: number): PaperView {
    const found = this.#views.findLast(({ height }) => height <= cursor)
    if (found === undefined) throw new TypeError(`nothing is kept of root block ${cursor}`)
    return found.view
  }

  /** The modules of a block that has taken in a root block, and none after it. */
  setAt(cursor: number): PaperSet {
    const used: string[] = []
    for (const [name, versions] of this.at(cursor).modules) {
      const version = versions.findLast(([, from]) => from <= cursor)?.[0]
      if (version !== undefined) used.push(`${name} ${version}`)
    }
    const key = used.sort().join()
    const known = this.#sets.get(key)
    if (known !== undefined) return known
    const modules = used.flatMap((one) => {
      const module = this.#known.get(one)
      return module === undefined ? [] : [[one.split(' ')[0] ?? '', module] as const]
    })
    const set = new PaperSet(new Map(modules))
    this.#sets.set(key, set)
    return set
  }

  get exports() {
    return exportsOf(this.pages)
  }
}
