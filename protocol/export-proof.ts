import { sha256 } from '#sha256'
import { ProofInvalidError } from './errors.ts'
import { decodeExport, exportPath } from './export-path.ts'
import { Reader } from './reader.ts'
import { openRooted, type ProvenAt, readingProof } from './rooted-proof.ts'
import { decodeTrieProof, encodeTrieProof, type TrieProof, verifyExclusion, verifyInclusion } from './trie-proof.ts'
import type { CborValue } from './value.ts'
import { Writer } from './writer.ts'

/** What the root chain exports under a key as of a root block, or that it exports nothing there. */
export interface ExportProof {
  /** CBOR of the root block's header. */
  readonly header: Uint8Array
  /** CBOR[key, value]; null if there is none. */
  readonly record: Uint8Array | null
  readonly path: TrieProof
}

/** What a proof shows of an export. */
export interface RootedExport extends ProvenAt {
  /** Undefined if nothing is exported under the key; a value may be null. */
  readonly value: CborValue | undefined
}

/** CBOR[root header, record | null, trie proof], each a byte string. */
export function encodeExportProof(proof: ExportProof): Uint8Array {
  const writer = new Writer()
  writer.value([proof.header, proof.record, encodeTrieProof(proof.path)])
  return writer.finish()
}

/**
 * Checks a rooted proof, of an `ExportProof`, about an export.
 * @param trusted hash of a trusted root header, 32 bytes
 * @throws ProofInvalidError
 */
export function verifyRootedExport(bytes: Uint8Array, key: string, trusted: Uint8Array): RootedExport {
  return readingProof(() => {
    const { proof, root, rootHash, block } = openRooted(bytes, trusted)
    if (block !== null) throw new ProofInvalidError('SUBJECT', 'shards export nothing: it is about a block of one')
    const reader = new Reader(proof)
    reader.arrayOf(3)
    reader.bytes()
    const record = reader.optional() ? reader.bytes() : null
    const path = decodeTrieProof(reader.bytes())
    reader.done()
    const at = exportPath(key)
    const holds =
      record === null
        ? verifyExclusion(root.exportsRoot, 0, at, path)
        : verifyInclusion(root.exportsRoot, 0, at, sha256(record), path)
    if (!holds) throw new ProofInvalidError('CONTENT', "the export does not follow from the header's exportsRoot")
    const found = record === null ? undefined : decodeExport(record)
    if (found !== undefined && found.key !== key) throw new ProofInvalidError('SUBJECT', 'it is about another export')
    return { root, rootHash, value: found?.value }
  })
}
