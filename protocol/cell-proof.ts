import { type Cell, cellPath, decodeCell, valueHash } from './cell.ts'
import { CodecError } from './errors.ts'
import { type BlockHeader, decodeHeader, headerHash } from './header.ts'
import { Reader } from './reader.ts'
import { parseShardId } from './shard-id.ts'
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
 * Checks a proof about the cell `id`: that its record, or its absence, follows from the header's `cellsRoot`.
 * Undefined if it does not, whatever is wrong with the bytes.
 */
export function verifyCellProof(bytes: Uint8Array, id: Uint8Array): ProvenCell | undefined {
  try {
    const { header: encoded, record, path } = decodeCellProof(bytes)
    const header = decodeHeader(encoded)
    const depth = parseShardId(header.shard).prefix.length
    const key = cellPath(id)
    const holds =
      record === null
        ? verifyExclusion(header.cellsRoot, depth, key, path)
        : verifyInclusion(header.cellsRoot, depth, key, valueHash(record), path)
    if (!holds) return undefined
    return { header, headerHash: headerHash(encoded), cell: record === null ? null : decodeCell(record) }
  } catch (error) {
    if (error instanceof CodecError) return undefined
    throw error
  }
}
