/** True if the register leaves this rest. */
export interface Condition {
  readonly modulus: number
  readonly rest: number
}

/** What a step adds to the register. */
export type Source =
  /** The number in the cell's value. */
  | 'cell'
  /** What the call carries, what it may send. */
  | 'value'
  | 'balance'
  /** The first byte of the root chain's randomness. */
  | 'random'
  | 'height'
  /** How many versions of this module are on the ledger. */
  | 'versions'
  /** How many characters the name of the sending module has. */
  | 'sender'

/** The cell that a message goes to. */
export type Target =
  /** The cell that a call of the other module may make for this cell. */
  | 'own'
  /** The one that it may make for whoever signed. */
  | 'payers'
  /** This cell, whoever sent this message, whoever signed, and the cell that the arguments name. */
  | 'self'
  | 'sender'
  | 'payer'
  | 'given'

/** The realm that a message goes to: this one, that of whoever sent or signed, or one that may not be there. */
export type TargetRealm = 'here' | 'senders' | 'payers' | 1 | 2

/** A message that a program sends. */
export interface SendStep {
  readonly op: 'send'
  /** `<module>.<call>` */
  readonly call: string
  readonly to: Target
  readonly realm: TargetRealm
  /** It carries so many quarters of what the call carries, or of the cell's balance; 5 of them are too many. */
  readonly quarters: number
  readonly of: 'value' | 'balance'
  /** Goes on if it is refused. */
  readonly isCareless: boolean
}

/** One step of a program. Its one register holds a whole number below `REGISTER_END`. */
export type Step =
  | { readonly op: 'add'; readonly source: Source }
  /** Writes the register into the cell, and up to `pad` bytes with it. */
  | { readonly op: 'write'; readonly pad: number; readonly isCareless: boolean }
  | { readonly op: 'remove' }
  /** Emits what it sees, so many times. */
  | { readonly op: 'emit'; readonly times: number }
  | SendStep
  | { readonly op: 'refuse'; readonly code: string; readonly when: Condition }
  /** Throws what no refusal is. */
  | { readonly op: 'break'; readonly when: Condition }
  /** Leaves the next ones out. */
  | { readonly op: 'skip'; readonly steps: number; readonly when: Condition }

export type Program = readonly Step[]

export const REGISTER_END = 65_536

/** One call of a random module. */
export interface PlannedCall {
  /** The largest `n` that it takes. */
  readonly most: number
  readonly weight: number
  readonly sends: Readonly<Record<string, number>>
  /** The id of a cell that it makes has `n % 3` as its salt, and none otherwise. */
  readonly isSalted: boolean
  readonly program: Program
}

/** One version of a random module. */
export interface PlannedModule {
  readonly name: string
  readonly version: number
  readonly calls: Readonly<Record<string, PlannedCall>>
  readonly onBounce: Program | undefined
}

/** The salt of a cell that a salted call makes for this argument. */
export const saltOf = (isSalted: boolean, n: number): Uint8Array =>
  isSalted ? Uint8Array.of(n % 3) : new Uint8Array(0)
