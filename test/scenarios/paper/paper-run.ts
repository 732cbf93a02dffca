import { isAction, type Note, type PaperEvent, type Place } from './note.ts'
import { Breakage, type Licence, PaperCall, Refusal, type Surroundings } from './paper-call.ts'
import { isBlank, isUnused, type PaperCell, type PaperCells } from './paper-cells.ts'
import type { PaperSet } from './paper-modules.ts'

export const DONE = 0
export const REFUSED = 1
export const SENT = 2

/** What became of a message of an earlier block's transaction. */
export interface PaperOutcome {
  readonly action: number
  /** 0 an action, 1 a bounce, 2 what a call sent. */
  readonly kind: 0 | 1 | 2
  readonly status: number
  readonly code: string
}

/** What one transaction, or one message from elsewhere, came to in a block. */
export interface PaperResult {
  /** Of each action. */
  readonly statuses: number[]
  readonly errors: { readonly action: number; readonly code: string; readonly text: string | undefined }[]
  readonly outcomes: PaperOutcome[]
  /** Messages that went to other shards, but for fees. */
  remote: number
}

/** Runs messages one after the other, and what they send here behind them. */
export class PaperRun {
  readonly #cells: PaperCells
  readonly #set: PaperSet
  readonly #around: Surroundings
  readonly #isHere: (place: Place) => boolean
  readonly sent: Note[] = []
  readonly events: PaperEvent[] = []
  /** Bounces that a module was told of, and those of them that it could not deal with. */
  readonly told = { all: 0, undone: 0 }
  #result: PaperResult = nothing(0)
  #isTransaction = false
  #queue: Note[] = []

  constructor(cells: PaperCells, set: PaperSet, around: Surroundings, isHere: (place: Place) => boolean) {
    this.#cells = cells
    this.#set = set
    this.#around = around
    this.#isHere = isHere
  }

  /** Runs the actions of a transaction. */
  transaction(actions: readonly Note[]): PaperResult {
    this.#isTransaction = true
    return this.#all(actions)
  }

  /** Runs a message from another shard, or a block's fees. */
  message(note: Note): PaperResult {
    this.#isTransaction = false
    return this.#all([note])
  }

  #all(notes: readonly Note[]): PaperResult {
    this.#result = nothing(notes.length)
    for (const note of notes) this.#pass(note)
    for (let note = this.#queue.shift(); note !== undefined; note = this.#queue.shift()) {
      if (note.kind === 'call') this.#call(note)
      else this.#bounce(note)
    }
    return this.#result
  }

  /** Queues a note, or puts it with what leaves the shard. */
  #pass(note: Note): void {
    if (this.#isHere(note.to)) {
      this.#queue.push(note)
      return
    }
    this.sent.push(note)
    if (note.origin.length === 0) return
    this.#result.remote++
    if (this.#isTransaction && isAction(note)) this.#result.statuses[note.action] = SENT
  }

  #call(note: Note): void {
    const cell = this.#cells.at(note.to)
    try {
      const deed = this.#set.deed(note.call)
      if (deed === undefined) throw new Refusal('UNKNOWN_CALL')
      if (!deed.takes(note.args)) throw new Refusal('BAD_ARGUMENTS')
      if (!isUnused(cell) && cell.owner !== deed.module) throw new Refusal('WRONG_OWNER')
      const { module, sends } = deed
      const licence = { module, sends, makes: { creator: note.from.id, salt: deed.salt(note.args) } }
      this.#act({ ...cell, balance: cell.balance + note.value }, note, licence, (call) => deed.act(call, note.args))
      this.#note(note, DONE, '')
    } catch (error) {
      const { code, text } = whyOf(error)
      this.#note(note, REFUSED, code, text)
      const isTold = this.#set.module(note.module)?.onBounce !== undefined
      if (note.value > 0n || isTold) this.#pass({ ...note, kind: 'bounce', from: note.to, to: note.from, code })
    }
  }

  #bounce(note: Note): void {
    const cell = this.#cells.at(note.to)
    const isPayers = note.to.realm === note.payer.realm && Buffer.compare(note.to.id, note.payer.id) === 0
    if (isBlank(cell) && !isPayers) {
      this.#pass({ ...note, to: note.payer, module: '' })
      this.#note(note, DONE, '')
      return
    }
    const richer = { ...cell, balance: cell.balance + note.value }
    this.#cells.put(richer)
    const onBounce = cell.owner === note.module ? this.#set.module(cell.owner)?.onBounce : undefined
    if (onBounce !== undefined) {
      const licence = { module: cell.owner, sends: {}, makes: undefined }
      this.told.all++
      try {
        this.#act(richer, note, licence, (call) => onBounce(call, note.args, note.code))
      } catch (error) {
        whyOf(error)
        this.told.undone++
      }
    }
    this.#note(note, DONE, '')
  }

  /** @throws Refusal, Breakage; then nothing happened */
  #act(cell: PaperCell, note: Note, licence: Licence, act: (call: PaperCall) => void): void {
    const call = new PaperCall(this.#around, note, cell, licence)
    act(call)
    this.#cells.put(call.cell)
    this.events.push(...call.events)
    for (const sent of call.sent) this.#pass(sent)
  }

  #note(note: Note, status: number, code: string, text?: string): void {
    if (note.origin.length === 0) return
    const { action } = note
    const { statuses, errors, outcomes } = this.#result
    if (!this.#isTransaction) {
      outcomes.push({ action, kind: note.kind === 'bounce' ? 1 : isAction(note) ? 0 : 2, status, code })
      return
    }
    if (!isAction(note)) return
    statuses[action] = status
    if (status === REFUSED) errors.push({ action, code, text })
  }
}

const nothing = (actions: number): PaperResult => ({
  statuses: Array.from({ length: actions }, () => DONE),
  errors: [],
  outcomes: [],
  remote: 0,
})

/** @throws anything but what ends a call */
function whyOf(error: unknown): { readonly code: string; readonly text: string | undefined } {
  if (error instanceof Refusal) return { code: error.code, text: error.text }
  if (error instanceof Breakage) return { code: 'MODULE_FAULT', text: undefined }
  throw error
}
