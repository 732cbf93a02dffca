import { cellLeaf, compare, leafHash, sha256, Writer } from '../../../protocol/index.ts'
import type { BlockChanges } from '../state/cell-store.ts'
import { isEmpty, type LedgerCell, writeRecord } from '../state/ledger-cell.ts'
import type { LeafChange } from '../state/trie.ts'

/** The cells that a block changed, ready to be stored and hashed. */
export interface SealedCells {
  /** CBOR list of [path, record | null], sorted by path. */
  readonly delta: Uint8Array
  readonly leaves: readonly LeafChange[]
  /** What each leaf's cell is worth more (or less) than before: balance and deposit, in the smallest unit. */
  readonly moved: readonly bigint[]
  /** What the shard holds more (or less) than before: balances and deposits, in the smallest unit. */
  readonly holdings: bigint
}

/** Encodes the changed cells of a block and their trie leaves. */
export function sealCells(changes: BlockChanges, depositPerByte: bigint): SealedCells {
  const leaves: LeafChange[] = []
  const cells: { readonly cell: LedgerCell; readonly more: bigint }[] = []
  let holdings = 0n
  for (const { before, after } of changes.values()) {
    const more = worth(after, depositPerByte) - (before === undefined ? 0n : worth(before, depositPerByte))
    holdings += more
    // One that was empty and still is may be in memory or not: the block must say the same either way.
    const wasThere = before !== undefined && !isEmpty(before)
    if (wasThere || !isEmpty(after)) cells.push({ cell: after, more })
  }
  cells.sort((a, b) => compare(a.cell.path, b.cell.path))
  const delta = new Writer(160 * cells.length + 16)
  const record = new Writer(1024)
  delta.arrayHeader(cells.length)
  for (const { cell } of cells) {
    delta.arrayHeader(2)
    delta.bytes(cell.path)
    if (isEmpty(cell)) {
      delta.value(null)
      leaves.push({ key: cell.path, leaf: null })
      continue
    }
    record.reset()
    writeRecord(record, cell)
    delta.bytes(record.view())
    leaves.push({ key: cell.path, leaf: cellLeaf(cell.path, record.view()) })
  }
  // A view, not a copy: the writer is this block's own.
  return { delta: delta.view(), leaves, moved: cells.map(({ more }) => more), holdings }
}

function worth(cell: LedgerCell, depositPerByte: bigint): bigint {
  return cell.depositBytes === 0 ? cell.balance : cell.balance + depositPerByte * BigInt(cell.depositBytes)
}

/** The leaf of a deferred message in its trie. */
export const deferredLeaf = (key: Uint8Array, message: Uint8Array): LeafChange => ({
  key,
  leaf: leafHash(key, sha256(message)),
})
