import { equal } from './bytes.ts'
import { type Cell, cellPath, decodeCell, valueHash } from './cell.ts'
import { CodecError } from './errors.ts'
import { type BlockHeader, decodeHeader, headerHash } from './header.ts'
import { Reader } from './reader.ts'
import { parseShardId, shardHolds } from './shard-id.ts'
import { decodeTrieProof, encodeTrieProof, type TrieProof, verifyExclusion, verifyInclusion } from './trie-proof.ts'
import { Writer } from './writer.ts'

/** That a cell had this record after a block, or that there was none. */
export interface CellProof {
  /** CBOR of the block's header. */
  readonly header: Uint8Array
  /** The cell's record; null if it did not exist. */
  readonly record: Uint8Array | null
  readonly path: TrieProof
}

/** What a proof shows, if it holds. */
export interface ProvenCell {
  readonly header: BlockHeader
  /** To be compared with one that the root chain commits: the proof leads to this header and no further. */
  readonly headerHash: Uint8Array
  readonly cell: Cell | null
}

/** CBOR[header, record | null, trie proof], each a byte string. */
export function encodeCellProof(proof: CellProof): Uint8Array {
  const writer = new Writer()
  writer.value([proof.header, proof.record, encodeTrieProof(proof.path)])
  return writer.finish()
}

/** The proof of its CBOR. @throws CodecError MALFORMED or NOT_CANONICAL. */
export function decodeCellProof(bytes: Uint8Array): CellProof {
  const reader = new Reader(bytes)
  reader.arrayOf(3)
  const header = reader.bytes()
  const record = reader.optional() ? reader.bytes() : null
  const path = decodeTrieProof(reader.bytes())
  reader.done()
  return { header, record, path }
}

/**
 * Checks a proof about the cell `id` of a realm (0 if absent): that its record, or its absence, follows from the header's
 * `cellsRoot`, and that the header is that of the shard the cell belongs to.
 * Undefined if it does not, whatever is wrong with the bytes.
 */
export function verifyCellProof(bytes: Uint8Array, id: Uint8Array, realm = 0): ProvenCell | undefined {
  try {
    const proof = decodeCellProof(bytes)
    const header = decodeHeader(proof.header)
    const shard = parseShardId(header.shard)
    // Any other shard would truthfully say that it has no such cell.
    if (!shardHolds(shard, realm, cellPath(id))) return undefined
    const cell = provenCell(proof, id, header.cellsRoot, shard.prefix.length)
    return cell && { header, headerHash: headerHash(proof.header), ...cell }
  } catch (error) {
    if (error instanceof CodecError) return undefined
    throw error
  }
}

/**
 * What a proof shows of a cell, given the root of its trie; undefined if it does not hold.
 * @param depth at which the trie begins: the length of the shard's prefix
 * @throws CodecError if the record cannot be read
 */
export function provenCell(
  { record, path }: CellProof,
  id: Uint8Array,
  cellsRoot: Uint8Array,
  depth: number,
): { readonly cell: Cell | null } | undefined {
  const key = cellPath(id)
  if (record === null) return verifyExclusion(cellsRoot, depth, key, path) ? { cell: null } : undefined
  if (!verifyInclusion(cellsRoot, depth, key, valueHash(record), path)) return undefined
  const cell = decodeCell(record)
  return equal(cell.id, id) ? { cell } : undefined
}
