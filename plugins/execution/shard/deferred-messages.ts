import type { CallRegistry } from '../ledger/registry.ts'
import { MAX_BLOCK_WEIGHT, TRANSACTION_SHARE } from '../ledger/rules.ts'
import type { Trie } from '../state/trie.ts'
import { deferredTrie } from './deferred-trie.ts'
import { type InboundPlan, weightOfAll } from './inbound-plan.ts'
import type { DeferredMessage } from './inbox.ts'
import type { RunMarks } from './run-marks.ts'
import { deferredLeaf } from './seal.ts'

/** The messages that wait in a shard for room in a block, oldest first. */
export class DeferredMessages {
  readonly #trie: Trie
  readonly #marks: RunMarks | undefined
  #list: readonly DeferredMessage[]
  #weighed: { readonly by: CallRegistry; readonly weight: number } | undefined

  /**
   * @param waiting oldest first
   * @param depth length of the shard's prefix
   * @param marks where it says what it weighs
   */
  constructor(waiting: readonly DeferredMessage[], depth: number, marks: RunMarks | undefined) {
    this.#list = waiting
    this.#trie = deferredTrie(waiting, depth)
    this.#marks = marks
  }

  get list(): readonly DeferredMessage[] {
    return this.#list
  }

  /** As of the last block that was sealed. */
  get root(): Uint8Array {
    return this.#trie.root
  }

  /** Weight of a block that they leave to transactions: there is room for all but the part that messages may take. */
  get roomBeside(): number {
    const waiting = Math.min(this.#weighed?.weight ?? 0, MAX_BLOCK_WEIGHT * (1 - TRANSACTION_SHARE))
    return MAX_BLOCK_WEIGHT - waiting
  }

  /** What all of them weigh; another version of a module may give them another weight. @throws BadRunError */
  weightBy(registry: CallRegistry): number {
    if (this.#weighed?.by !== registry)
      this.#weighed = { by: registry, weight: weightOfAll(registry, this.#list, this.#marks) }
    return this.#weighed.weight
  }

  /** Brings the trie up to what waits after a block, and gives its root. */
  hash({ done, added }: Pick<InboundPlan, 'done' | 'added'>): Uint8Array {
    const leaves = [
      ...done.map((key) => ({ key, leaf: null })),
      ...added.map(({ key, encoded }) => deferredLeaf(key, encoded)),
    ]
    this.#trie.update(leaves.sort((a, b) => Buffer.compare(a.key, b.key)))
    return this.#trie.root
  }

  /** The block was made: what waits after it is weighed by the modules that it used. */
  become({ waiting, waitingWeight }: Pick<InboundPlan, 'waiting' | 'waitingWeight'>, by: CallRegistry): void {
    this.#list = waiting
    this.#weighed = { by, weight: waitingWeight }
  }
}
