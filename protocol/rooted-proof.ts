import { equal } from './bytes.ts'
import { CodecError, ProofInvalidError } from './errors.ts'
import { type BlockHeader, decodeHeader, headerHash } from './header.ts'
import { decodeListProof, encodeListProof, type ListProof, verifyListProof } from './list.ts'
import { Reader } from './reader.ts'
import { decodeRootHeader, encodeCommittedHeader, type RootHeader, rootHeaderHash } from './root.ts'
import { Writer } from './writer.ts'

/** A proof against a header, led on to a root header: who trusts that one needs nothing else. */
export interface RootedProof {
  /** CBOR of an array whose first item is the header that the rest is proven against, as a byte string. */
  readonly proof: Uint8Array
  /** Where a root block lists that header; null if the header itself is that of a root block. */
  readonly listed: {
    /** CBOR of the root block's header. */
    readonly root: Uint8Array
    /** That the block is in its `headersRoot`. */
    readonly place: ListProof
  } | null
}

/** What a rooted proof leads to, if it holds. */
export interface ProvenAt {
  readonly root: RootHeader
  /** 32 bytes. */
  readonly rootHash: Uint8Array
}

/** A rooted proof whose way to the trusted root header holds; the rest of it is still to be checked. */
export interface OpenedProof extends ProvenAt {
  readonly proof: Uint8Array
  /** The shard block that the root block lists; null if the proof is against the root header itself. */
  readonly block: { readonly header: BlockHeader; readonly hash: Uint8Array } | null
}

/** CBOR[proof, root header | null, list proof | null], each a byte string. */
export function encodeRootedProof({ proof, listed }: RootedProof): Uint8Array {
  const writer = new Writer()
  writer.value(listed === null ? [proof, null, null] : [proof, listed.root, encodeListProof(listed.place)])
  return writer.finish()
}

/** The proof of its CBOR; byte strings are views. @throws CodecError MALFORMED or NOT_CANONICAL. */
export function decodeRootedProof(bytes: Uint8Array): RootedProof {
  const reader = new Reader(bytes)
  reader.arrayOf(3)
  const proof = reader.bytes()
  const root = reader.optional() ? reader.bytes() : null
  const place = reader.optional() ? decodeListProof(reader.bytes()) : null
  reader.done()
  if (root !== null && place !== null) return { proof, listed: { root, place } }
  if (root === null && place === null) return { proof, listed: null }
  throw new CodecError('MALFORMED', 'a rooted proof has a root header and a place in it, or neither')
}

/**
 * The root block that a proof leads to: whoever checks it has to trust that block's hash for reasons of his own.
 * @throws ProofInvalidError ENCODING
 */
export function rootOfProof(bytes: Uint8Array): ProvenAt {
  return readingProof(() => {
    const { proof, listed } = decodeRootedProof(bytes)
    const encoded = listed === null ? headerIn(proof) : listed.root
    return { root: decodeRootHeader(encoded), rootHash: rootHeaderHash(encoded) }
  })
}

/**
 * Checks the way from a proof's header to the trusted root header.
 * @param trusted `rootHeaderHash` of the root header, 32 bytes
 * @throws ProofInvalidError ENCODING, ROOT or COMMITMENT
 */
export function openRooted(bytes: Uint8Array, trusted: Uint8Array): OpenedProof {
  return readingProof(() => {
    const { proof, listed } = decodeRootedProof(bytes)
    const encoded = headerIn(proof)
    const rootBytes = listed === null ? encoded : listed.root
    const rootHash = rootHeaderHash(rootBytes)
    if (!equal(rootHash, trusted)) {
      throw new ProofInvalidError('ROOT', 'the proof leads to another root header than the trusted one')
    }
    const root = decodeRootHeader(rootBytes)
    if (listed === null) return { proof, root, rootHash, block: null }
    const header = decodeHeader(encoded)
    const hash = headerHash(encoded)
    const item = encodeCommittedHeader({ shard: header.shard, height: header.height, hash })
    if (!verifyListProof(root.headersRoot, item, listed.place)) {
      throw new ProofInvalidError('COMMITMENT', `root block ${root.height} does not list this block`)
    }
    return { proof, root, rootHash, block: { header, hash } }
  })
}

/** Runs what reads a proof's bytes. @throws ProofInvalidError ENCODING for bytes that cannot be read */
export function readingProof<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    throw new ProofInvalidError('ENCODING', `these bytes are no proof: ${error.message}`, { cause: error })
  }
}

/** The header that a proof begins with. */
function headerIn(proof: Uint8Array): Uint8Array {
  const reader = new Reader(proof)
  if (reader.arrayHeader() === 0) throw new CodecError('MALFORMED', 'a proof begins with a header')
  return reader.bytes()
}
