import type { Cell } from './cell.ts'
import { cellPath } from './cell.ts'
import { decodeCellProof, provenCell } from './cell-proof.ts'
import { ProofInvalidError } from './errors.ts'
import type { BlockHeader } from './header.ts'
import { openRooted, type ProvenAt, readingProof } from './rooted-proof.ts'
import { parseShardId, ROOT_REALM, ROOT_SHARD, type Shard, shardHolds } from './shard-id.ts'

/** What a cell was after a block that a root block lists. */
export interface RootedCell extends ProvenAt {
  /** Header of the shard's block; null for a cell of the root chain. */
  readonly block: BlockHeader | null
  /** Null if there was none. */
  readonly cell: Cell | null
}

/**
 * Checks a rooted proof, of a `CellProof`, about a cell: what it was, or that there was none.
 * @param trusted hash of a trusted root header, 32 bytes
 * @throws ProofInvalidError
 */
export function verifyRootedCell(
  bytes: Uint8Array,
  { realm, id }: { readonly realm: number; readonly id: Uint8Array },
  trusted: Uint8Array,
): RootedCell {
  return readingProof(() => {
    const { proof, root, rootHash, block } = openRooted(bytes, trusted)
    const shard: Shard = parseShardId(block === null ? ROOT_SHARD : block.header.shard)
    if ((realm === ROOT_REALM) !== (block === null) || !shardHolds(shard, realm, cellPath(id))) {
      throw new ProofInvalidError('SUBJECT', `shard ${shard.id} is not the one that this cell belongs to`)
    }
    const { cellsRoot } = block === null ? root : block.header
    const proven = provenCell(decodeCellProof(proof), id, cellsRoot, shard.prefix.length)
    if (proven === undefined)
      throw new ProofInvalidError('CONTENT', "the record does not follow from the header's root")
    return { root, rootHash, block: block === null ? null : block.header, cell: proven.cell }
  })
}
