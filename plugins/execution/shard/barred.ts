import { idKey } from '../state/ledger-cell.ts'

/** Ids that are remembered, and for how long. */
const MAX_BARRED = 10_000
const BARRED_MS = 10 * 60_000

/** Transactions that broke the block that they were to be in: for a while they are not taken again. */
export class Barred {
  /** As `performance.now()` says. */
  readonly #until = new Map<string, number>()

  /** `id`: 32 bytes. The oldest is forgotten when there are too many. */
  add(id: Uint8Array): void {
    const key = idKey(id)
    this.#until.delete(key)
    this.#until.set(key, performance.now() + BARRED_MS)
    const [oldest] = this.#until.keys()
    if (this.#until.size > MAX_BARRED && oldest !== undefined) this.#until.delete(oldest)
  }

  has(key: string): boolean {
    if (this.#until.size === 0) return false
    const until = this.#until.get(key)
    if (until === undefined) return false
    if (until > performance.now()) return true
    this.#until.delete(key)
    return false
  }

  /** All ids, one after the other. */
  ids(): Uint8Array {
    return new Uint8Array(Buffer.from([...this.#until.keys()].join(''), 'latin1'))
  }
}
