import { compare, concat } from './bytes.ts'
import { domain, taggedHash } from './domain.ts'
import { CodecError } from './errors.ts'
import { listRoot } from './list.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

/** The header of a block of the root chain. */
export interface RootHeader {
  readonly height: number
  /** Hash of the root header before, 32 bytes. */
  readonly prevHash: Uint8Array
  /** Milliseconds since 1970. */
  readonly time: number
  /** `headersRoot` of the shard blocks that this block commits, 32 bytes. */
  readonly headersRoot: Uint8Array
  /** Trie root over the root chain's own cells, 32 bytes. */
  readonly cellsRoot: Uint8Array
  /** List root over the out items of the root chain, 32 bytes. */
  readonly outRoot: Uint8Array
  /** What shards may read of root state, committed, 32 bytes. */
  readonly exportsRoot: Uint8Array
  /** What the orderer discloses for randomness, 32 bytes. */
  readonly reveal: Uint8Array
  /** H(random of the block before || reveal), 32 bytes. */
  readonly random: Uint8Array
  /** Commitment that later reveals are checked against, 32 bytes. */
  readonly anchor: Uint8Array
}

/** A shard block as a root block lists it. */
export interface CommittedHeader {
  readonly shard: string
  readonly height: number
  /** `headerHash` of its header, 32 bytes. */
  readonly hash: Uint8Array
}

/** A validator's signature on a root block. */
export interface Vote {
  /** ed25519 public key, 32 bytes. */
  readonly validator: Uint8Array
  /** 64 bytes over `votingBytes(hash)`. */
  readonly signature: Uint8Array
}

const writer = new Writer()

/** CBOR of the root header's ten items. */
export function encodeRootHeader(header: RootHeader): Uint8Array {
  writer.reset()
  writer.arrayHeader(10)
  writer.uint(header.height)
  writer.bytes(header.prevHash)
  writer.uint(header.time)
  writer.bytes(header.headersRoot)
  writer.bytes(header.cellsRoot)
  writer.bytes(header.outRoot)
  writer.bytes(header.exportsRoot)
  writer.bytes(header.reveal)
  writer.bytes(header.random)
  writer.bytes(header.anchor)
  return writer.finish()
}

/**
 * The root header of its CBOR; hashes are views.
 * @throws CodecError MALFORMED or NOT_CANONICAL.
 */
export function decodeRootHeader(bytes: Uint8Array): RootHeader {
  const reader = new Reader(bytes)
  reader.arrayOf(10)
  const header = {
    height: reader.uint(),
    prevHash: reader.bytesOf(32),
    time: reader.uint(),
    headersRoot: reader.bytesOf(32),
    cellsRoot: reader.bytesOf(32),
    outRoot: reader.bytesOf(32),
    exportsRoot: reader.bytesOf(32),
    reveal: reader.bytesOf(32),
    random: reader.bytesOf(32),
    anchor: reader.bytesOf(32),
  }
  reader.done()
  return header
}

/** The hash of a root block: the tagged hash of its header's CBOR. */
export function rootHeaderHash(encoded: Uint8Array): Uint8Array {
  return taggedHash('root-header', encoded)
}

/** CBOR[shard, height, hash], an item of the list that `headersRoot` commits. */
export function encodeCommittedHeader(header: CommittedHeader): Uint8Array {
  writer.reset()
  writer.arrayHeader(3)
  writer.text(header.shard)
  writer.uint(header.height)
  writer.bytes(header.hash)
  return writer.finish()
}

/** The shard blocks in the order in which a root block lists them: by shard name, then height. */
export function sortCommitted(headers: readonly CommittedHeader[]): CommittedHeader[] {
  return [...headers].sort((a, b) => (a.shard === b.shard ? a.height - b.height : a.shard < b.shard ? -1 : 1))
}

/** List root over the shard blocks that a root block commits, in any order given; 32 bytes. */
export function headersRoot(headers: readonly CommittedHeader[]): Uint8Array {
  return listRoot(sortCommitted(headers).map(encodeCommittedHeader))
}

/** What a validator signs of a root block: `deaios/root-vote/1\0` and the block's hash. */
export function votingBytes(hash: Uint8Array): Uint8Array {
  return concat(domain('root-vote'), hash)
}

/** CBOR list of the votes as [validator, signature], sorted by validator: a root block's certificate. */
export function encodeVotes(votes: readonly Vote[]): Uint8Array {
  writer.reset()
  const sorted = [...votes].sort((a, b) => compare(a.validator, b.validator))
  writer.value(sorted.map((vote) => [vote.validator, vote.signature]))
  return writer.finish()
}

/**
 * The votes of their CBOR; keys and signatures are views. Whether the signatures hold is not checked.
 * @throws CodecError MALFORMED or NOT_CANONICAL.
 */
export function decodeVotes(bytes: Uint8Array): Vote[] {
  const reader = new Reader(bytes)
  const votes: Vote[] = []
  for (let left = reader.arrayHeader(); left > 0; left--) {
    reader.arrayOf(2)
    const validator = reader.bytesOf(32)
    const before = votes.at(-1)
    // One validator listed twice would count twice towards the quorum.
    if (before !== undefined && compare(before.validator, validator) >= 0) {
      throw new CodecError('NOT_CANONICAL', 'votes are sorted by validator, and each votes once')
    }
    votes.push({ validator, signature: reader.bytesOf(64) })
  }
  reader.done()
  return votes
}
