import { type CborValue, cellId, encode, equal } from '../../../protocol/index.ts'
import type { Note, PaperEvent, Place } from './note.ts'
import { bytesHeld, isUnused, type PaperCell } from './paper-cells.ts'

/** A call that was refused, by the rules or by its module. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: string
  /** What the module said; undefined if the rules refused it. */
  readonly text: string | undefined

  constructor(code: string, text?: string) {
    super(`refused: ${code}`)
    this.code = code
    this.text = text
  }
}

/** A call whose module broke. */
export class Breakage extends Error {
  override readonly name = 'Breakage'
}

/** What all calls of a block can know. */
export interface Surroundings {
  readonly shard: string
  readonly realm: number
  readonly height: number
  readonly time: number
  readonly random: Uint8Array
  readonly realms: ReadonlySet<number>
  /** For a name: how many versions of this module are on the ledger. */
  readonly versionsOf: (name: string) => number
  readonly depositPerByte: bigint
}

/** How a call is allowed to act. */
export interface Licence {
  readonly module: string
  readonly sends: Readonly<Record<string, number>>
  /** The only id that a new cell may have; undefined if it must make none. */
  readonly makes: { readonly creator: Uint8Array; readonly salt: Uint8Array } | undefined
}

/** The most events of a call. */
const MOST_EVENTS = 64

/** One call, with the cell as it makes it. Nothing counts before it has ended well. */
export class PaperCall {
  readonly around: Surroundings
  readonly note: Note
  readonly licence: Licence
  readonly sent: Note[] = []
  readonly events: PaperEvent[] = []
  cell: PaperCell
  /** The coins of the cell are somebody's who never signed: only what came along is the call's to spend. */
  #isForeign: boolean
  #spent = 0n

  constructor(around: Surroundings, note: Note, cell: PaperCell, licence: Licence) {
    this.around = around
    this.note = note
    this.cell = cell
    this.licence = licence
    this.#isForeign = note.kind === 'call' && isUnused(cell)
  }

  /** What it may send. */
  get balance(): bigint {
    if (!this.#isForeign) return this.cell.balance
    const left = this.note.value - this.#spent
    return left < this.cell.balance ? left : this.cell.balance
  }

  write(value: CborValue): void {
    const { cell, licence, around } = this
    const isNew = isUnused(cell)
    if (isNew) {
      const { makes } = licence
      if (makes === undefined || !equal(cellId(licence.module, makes.creator, makes.salt), cell.id))
        throw new Refusal('NOT_DERIVED')
    }
    const more = around.depositPerByte * BigInt(encode(value).length - bytesHeld(cell))
    if (more > cell.balance) throw new Refusal('DEPOSIT_REQUIRED')
    this.cell = { ...cell, owner: isNew ? licence.module : cell.owner, balance: cell.balance - more, value }
    this.#isForeign = false
  }

  remove(): void {
    const { cell, around } = this
    if (isUnused(cell)) return
    const balance = cell.balance + around.depositPerByte * BigInt(bytesHeld(cell))
    this.cell = { ...cell, owner: 'account', balance, value: null }
  }

  emit(topic: string, payload: CborValue): void {
    if (this.events.length >= MOST_EVENTS) throw new Refusal('VALUE_TOO_LARGE')
    this.events.push({ topic, payload, origin: this.note.origin, action: this.note.action })
  }

  send(call: string, to: Place, args: Note['args'], value: bigint): void {
    const { licence, around, note } = this
    const already = this.sent.filter((sent) => sent.call === call).length
    if (already >= (licence.sends[call] ?? 0)) throw new Refusal('UNDECLARED_SEND')
    if (!around.realms.has(to.realm)) throw new Refusal('UNKNOWN_REALM')
    if (value > this.balance) throw new Refusal('INSUFFICIENT_BALANCE')
    const { origin, action, payer } = note
    const from = { realm: around.realm, id: this.cell.id }
    this.sent.push({
      kind: 'call',
      origin,
      action,
      from,
      module: licence.module,
      to,
      call,
      args,
      value,
      payer,
      code: '',
    })
    this.cell = { ...this.cell, balance: this.cell.balance - value }
    this.#spent += value
  }
}
