import {
  bodyHash,
  cellPath,
  decodeMessage,
  equal,
  leafHash,
  listRoot,
  sha256,
  shardHolds,
} from '../../../protocol/index.ts'
import type { DeferredMessage } from '../shard/inbox.ts'
import type { LedgerParams } from '../shard/ledger-rules.ts'
import { splitOut } from '../shard/out-index.ts'
import { CountedCells } from './counted-cells.ts'
import { falseState, type SnapshotError } from './errors.ts'
import { SortedTrie } from './sorted-trie.ts'
import type { CutShard, ShardBlock } from './visitor.ts'

/** Checks the state of one shard against the header of its last block, piece by piece. */
export class ShardStateCheck {
  readonly shard: CutShard
  readonly block: ShardBlock
  readonly cells: CountedCells
  readonly #deferred: SortedTrie
  #waiting = 0n

  /** @throws SnapshotError FALSE_STATE */
  constructor(shard: CutShard, block: ShardBlock, params: LedgerParams) {
    this.shard = shard
    this.block = block
    this.cells = new CountedCells(shard.space, params)
    this.#deferred = new SortedTrie(shard.space.prefix.length)
    const { header } = shard
    const isSame =
      equal(bodyHash(block.body), header.bodyHash) &&
      equal(listRoot(splitOut(block.receipts)), header.txRoot) &&
      equal(listRoot(splitOut(block.outgoing)), header.outRoot)
    if (!isSame) throw this.#false('it is another block')
  }

  /** Reads the next messages that wait. @throws SnapshotError FALSE_STATE, CodecError */
  deferred(rows: readonly (readonly [key: Uint8Array, encoded: Uint8Array])[]): DeferredMessage[] {
    const { space } = this.shard
    return rows.map(([key, encoded]) => {
      const message = decodeMessage(encoded)
      const isNext =
        key.length === 40 &&
        message.realm === space.realm &&
        equal(key.subarray(0, 32), cellPath(message.to)) &&
        shardHolds(space, space.realm, key) &&
        this.#deferred.add(key, leafHash(key, sha256(encoded)))
      if (!isNext) throw this.#false('a message that waits is not in its place')
      this.#waiting += message.value
      return { key, message, encoded }
    })
  }

  /** That was all. @throws SnapshotError FALSE_STATE */
  end(): void {
    const { header } = this.shard
    if (!equal(this.cells.root(), header.cellsRoot)) throw this.#false('the cells do not give its cellsRoot')
    if (!equal(this.#deferred.root(), header.deferredRoot))
      throw this.#false('the messages that wait do not give its deferredRoot')
    const { holdings } = this.block.totals
    const found = this.cells.holdings + this.#waiting
    if (found !== holdings) throw this.#false(`cells and waiting messages hold ${found}, not ${holdings}`)
  }

  #false(what: string): SnapshotError {
    return falseState(`shard ${this.shard.space.id}, block ${this.shard.header.height}: ${what}`)
  }
}
