import { idKey } from '../state/ledger-cell.ts'

const KEPT_MS = 30_000
const MAX_COUNT = 20_000
const MAX_BYTES = 16 * 1024 * 1024

interface Entry {
  readonly wire: Uint8Array
  /** The fence of the leader that took it. */
  readonly fence: bigint | undefined
  readonly at: number
}

/**
 * What this node passed on lately and was told no more of than PENDING. It waits in the mempool of a leader that may go:
 * then the next one gets it from here, once, and the one after that.
 */
export class PendingBook {
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  add(id: Uint8Array, wire: Uint8Array, fence: bigint | undefined): void {
    const at = performance.now()
    const key = idKey(id)
    this.#remove(key)
    // Its own bytes: what it came in may be much larger.
    this.#entries.set(key, { wire: Uint8Array.from(wire), fence, at })
    this.#bytes += wire.length
    for (const [oldest, entry] of this.#entries) {
      const isFull = this.#entries.size > MAX_COUNT || this.#bytes > MAX_BYTES
      if (!isFull && at - entry.at < KEPT_MS) return
      this.#remove(oldest)
    }
  }

  /**
   * What other leaders than this one took; from now on it is this one's. It stays here: who asks the new leader for it
   * before that has it finds it here.
   */
  handOver(fence: bigint): readonly Uint8Array[] {
    const since = performance.now() - KEPT_MS
    const wires: Uint8Array[] = []
    for (const [key, entry] of this.#entries) {
      if (entry.fence === fence || entry.at < since) continue
      this.#entries.set(key, { ...entry, fence })
      wires.push(entry.wire)
    }
    return wires
  }

  /** The one of this id. */
  find(id: Uint8Array): Uint8Array | undefined {
    return this.#entries.get(idKey(id))?.wire
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#bytes -= entry.wire.length
  }
}
