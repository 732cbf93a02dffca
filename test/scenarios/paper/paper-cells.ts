import { type CborValue, encode } from '../../../protocol/index.ts'
import { keyOf, type Place } from './note.ts'

/** A cell as it is now. Nobody changes one: a changed one takes its place. */
export interface PaperCell extends Place {
  readonly owner: string
  /** Without the deposit. */
  readonly balance: bigint
  readonly value: CborValue
  /** The next nonce of each lane that was used, for accounts. */
  readonly lanes: ReadonlyMap<number, number>
}

/** Bytes that a deposit is held for: those of a value, and 12 for each lane of an account above 15. */
export const bytesHeld = ({ owner, value, lanes }: PaperCell): number =>
  owner === 'account' ? 12 * [...lanes.keys()].filter((lane) => lane > 15).length : encode(value).length

/** No module has it, and its key never signed anything. */
export const isUnused = ({ owner, lanes }: PaperCell): boolean => owner === 'account' && lanes.size === 0

/** As good as not there. */
export const isBlank = (cell: PaperCell): boolean => isUnused(cell) && cell.balance === 0n

/** CBOR of [id, owner, balance, value]; the value of an account is its lanes, sorted, and its session keys. */
export function recordOf({ id, owner, balance, value, lanes }: PaperCell): Uint8Array {
  const sorted = [...lanes].sort(([a], [b]) => a - b)
  return encode([id, owner, balance, owner === 'account' && lanes.size > 0 ? [sorted, []] : value])
}

/** All cells of all shards, in one book. */
export class PaperCells {
  readonly #cells = new Map<string, PaperCell>()
  /** As they were when the page began, of those that were written to since. */
  #before = new Map<string, PaperCell>()

  at(place: Place): PaperCell {
    const { realm, id } = place
    return this.#cells.get(keyOf(place)) ?? { realm, id, owner: 'account', balance: 0n, value: null, lanes: new Map() }
  }

  put(cell: PaperCell): void {
    const key = keyOf(cell)
    if (!this.#before.has(key)) this.#before.set(key, this.at(cell))
    if (isBlank(cell)) this.#cells.delete(key)
    else this.#cells.set(key, cell)
  }

  /** Begins a page; what was written to before is forgotten. */
  turnPage(): void {
    this.#before = new Map()
  }

  /** The cells that were written to on this page: as they were, and as they are. */
  written(): readonly { readonly before: PaperCell; readonly after: PaperCell }[] {
    return [...this.#before.values()].map((before) => ({ before, after: this.at(before) }))
  }

  all(): Iterable<PaperCell> {
    return this.#cells.values()
  }

  /** Balances and deposits. */
  worth(depositPerByte: bigint): bigint {
    let sum = 0n
    for (const cell of this.all()) sum += cell.balance + depositPerByte * BigInt(bytesHeld(cell))
    return sum
  }
}
