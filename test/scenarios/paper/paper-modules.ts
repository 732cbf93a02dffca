import type { CborMap } from '../../../protocol/index.ts'
import type { PaperCall } from './paper-call.ts'

/** A call as the model knows it. */
export interface PaperDeed {
  readonly module: string
  /** Without what it sends. */
  readonly weight: number
  readonly sends: Readonly<Record<string, number>>
  /** True if the arguments are such as it takes. */
  takes(args: CborMap): boolean
  /** The salt of a cell that it makes for its sender. */
  salt(args: CborMap): Uint8Array
  /** @throws Refusal, Breakage */
  act(call: PaperCall, args: CborMap): void
}

/** A module in one version. */
export interface PaperModule {
  readonly deeds: ReadonlyMap<string, PaperDeed>
  readonly onBounce: ((call: PaperCall, args: CborMap, code: string) => void) | undefined
}

/** The modules that a block uses. */
export class PaperSet {
  readonly #modules: ReadonlyMap<string, PaperModule>
  readonly #weights = new Map<string, number>()

  constructor(modules: ReadonlyMap<string, PaperModule>) {
    this.#modules = modules
  }

  module(name: string): PaperModule | undefined {
    return this.#modules.get(name)
  }

  deed(call: string): PaperDeed | undefined {
    const [name = '', deed = ''] = call.split('.')
    return this.#modules.get(name)?.deeds.get(deed)
  }

  /** What a message weighs with all that may come of it. What cannot be run weighs 1. */
  weigh(call: string, args: CborMap): number {
    return this.deed(call)?.takes(args) === true ? this.#weightOf(call) : 1
  }

  #weightOf(call: string): number {
    const known = this.#weights.get(call)
    if (known !== undefined) return known
    const deed = this.deed(call)
    if (deed === undefined) throw new TypeError(`there is no ${call}`)
    let weight = deed.weight
    for (const [sent, times] of Object.entries(deed.sends)) weight += times * this.#weightOf(sent)
    this.#weights.set(call, weight)
    return weight
  }
}
