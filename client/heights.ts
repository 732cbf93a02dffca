/** How many shards are remembered: as many as a request may name. */
const MAX_SHARDS = 100

/**
 * How far the ledger was when this client last looked, by shard. Sent along, it keeps a client from reading anything
 * older than what it has seen or written before, even when the next request reaches another node.
 */
export class SeenHeights {
  readonly #heights = new Map<string, number>()

  /** For `extensions.atLeastHeight`; undefined while nothing was seen. */
  get atLeast(): Readonly<Record<string, number>> | undefined {
    return this.#heights.size === 0 ? undefined : Object.fromEntries(this.#heights)
  }

  /** The ledger has been seen there. */
  note(shard: string, height: number): void {
    const known = this.#heights.get(shard) ?? -1
    this.#heights.delete(shard)
    this.#heights.set(shard, Math.max(known, height))
    if (this.#heights.size <= MAX_SHARDS) return
    const [oldest] = this.#heights.keys()
    if (oldest !== undefined) this.#heights.delete(oldest)
  }

  /** Takes in `extensions.height` of an answer. */
  noteAll(heights: unknown): void {
    if (typeof heights !== 'object' || heights === null) return
    for (const [shard, height] of Object.entries(heights)) if (Number.isSafeInteger(height)) this.note(shard, height)
  }
}
