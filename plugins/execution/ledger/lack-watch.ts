import type { Log } from '../../../server/plugin.ts'
import type { RootView } from '../root/root-view.ts'
import type { ModuleLibrary } from './module-library.ts'
import { lackOf } from './module-schedule.ts'

/** Tells long before it comes that the network will use a module that this node has not got. */
export class LackWatch {
  readonly #library: ModuleLibrary
  readonly #log: Log
  #lack: ReturnType<typeof lackOf>

  constructor(library: ModuleLibrary, log: Log) {
    this.#library = library
    this.#log = log
  }

  /** The set of modules has changed: `view` is as of this root height. */
  check(view: RootView, height: number): void {
    const before = this.#lack?.message
    this.#lack = lackOf(this.#library, view, height)
    if (this.#lack !== undefined && this.#lack.message !== before)
      this.#log.error({ from: this.#lack.from }, `this node lacks a ledger module: ${this.#lack.message}`)
  }

  /** What is missing at a root height; `isDue` once it is used: shards stop there, as soon as they have something to do. */
  at(height: number): { readonly isDue: boolean; readonly message: string } | undefined {
    return this.#lack && { isDue: height >= this.#lack.from, message: this.#lack.message }
  }
}
