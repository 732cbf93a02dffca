import { cellLeaf, shardHolds } from '../../../protocol/index.ts'
import type { LedgerParams } from '../shard/ledger-rules.ts'
import type { ShardSpace } from '../shard/shard-space.ts'
import { type LedgerCell, openRecord } from '../state/ledger-cell.ts'
import { falseState, SnapshotError } from './errors.ts'
import { SortedTrie } from './sorted-trie.ts'
import type { SnapshotCell } from './visitor.ts'

/** Cells of one shard, or of the root chain, hashed and counted while they pass by in order. */
export class CountedCells {
  readonly #space: ShardSpace
  readonly #depositPerByte: bigint
  readonly #trie: SortedTrie
  /** Balances and deposits so far, in the smallest unit. */
  holdings = 0n

  constructor(space: ShardSpace, { depositPerByte }: LedgerParams) {
    this.#space = space
    this.#depositPerByte = depositPerByte
    this.#trie = new SortedTrie(space.prefix.length)
  }

  /** Reads the next cells. @throws SnapshotError FALSE_STATE or DAMAGED */
  add(records: readonly Uint8Array[]): SnapshotCell[] {
    return records.map((record) => {
      const { realm, id } = this.#space
      const cell = opened(record, id)
      const isNext = shardHolds(this.#space, realm, cell.path) && this.#trie.add(cell.path, cellLeaf(cell.path, record))
      if (!isNext) throw falseState(`a cell of ${id} is not in its place`)
      this.holdings += cell.balance + this.#depositPerByte * BigInt(cell.depositBytes)
      return { path: cell.path, record }
    })
  }

  /** The cellsRoot of all that passed by. Nothing can be added after. */
  root(): Uint8Array {
    return this.#trie.root()
  }
}

/** What the ledger wrote has the form that the ledger reads; what somebody put into a file may have any. */
function opened(record: Uint8Array, shard: string): LedgerCell {
  try {
    return openRecord(record)
  } catch (error) {
    throw new SnapshotError('DAMAGED', `a cell of ${shard} cannot be read`, { cause: error })
  }
}
