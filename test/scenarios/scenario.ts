import type { Random } from './random.ts'

/** What a scenario counted, by name: `{ kills: 30, transactions: 41200 }`. */
export type Figures = Readonly<Record<string, number | string>>

/** One run of a scenario. */
export interface Run {
  /** How many of what the scenario's `unit` names. */
  readonly count: number
  /** True in a soak: then waits and outages are as long as they are meant to be. */
  readonly isFull: boolean
  readonly random: Random
  /** Tells how far it got. */
  progress(text: string): void
}

/** Something bad that is done to a ledger many times over, and what must hold afterwards. */
export interface Scenario {
  /** `<layer>/<name>`, like `execution/kill`. */
  readonly name: string
  /** What must hold, as a sentence. */
  readonly claim: string
  /** What is counted, in the plural. */
  readonly unit: string
  readonly counts: { readonly full: number; readonly reduced: number }
  /** Throws as soon as something does not hold. */
  run(run: Run): Promise<Figures>
}

/** `kills 30, transactions 41200` */
export const sayFigures = (figures: Figures): string =>
  Object.entries(figures)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
