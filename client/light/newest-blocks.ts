import { parseShardId } from '../../protocol/index.ts'
import { invalid } from './proven.ts'

/** Shards that are remembered. */
const MAX_SHARDS = 1_024

/**
 * How far each shard was when a light client last proved anything of it. A node that answers with an older state, however
 * well proven, is refused.
 */
export class NewestBlocks {
  readonly #heights: Map<string, number>

  constructor(heights: ReadonlyMap<string, number> = new Map()) {
    this.#heights = new Map(heights)
  }

  /** A copy: what is asked now must be no older than this, while answers to others come in. */
  copy(): NewestBlocks {
    return new NewestBlocks(this.#heights)
  }

  note(shard: string, height: number): void {
    const known = this.#heights.get(shard) ?? -1
    this.#heights.delete(shard)
    this.#heights.set(shard, Math.max(known, height))
    if (this.#heights.size <= MAX_SHARDS) return
    const [oldest] = this.#heights.keys()
    if (oldest !== undefined) this.#heights.delete(oldest)
  }

  /**
   * Checks that a block is not older than what was seen of its shard, of one that it was split off from, or of one that
   * was split off from it: heights go on over a split.
   * @throws ClientError PROOF_INVALID with the reason STALE
   */
  check(shard: string, height: number): void {
    const { realm, prefix } = parseShardId(shard)
    for (const [known, seen] of this.#heights) {
      const other = parseShardId(known)
      const isRelated = other.realm === realm && (other.prefix.startsWith(prefix) || prefix.startsWith(other.prefix))
      if (isRelated && height < seen) {
        throw invalid(
          'STALE',
          `the node proves block ${height} of ${shard}, and block ${seen} of ${known} was seen before`,
        )
      }
    }
  }
}
