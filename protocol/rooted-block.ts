import { equal } from './bytes.ts'
import { CodecError, ProofInvalidError } from './errors.ts'
import type { BlockHeader } from './header.ts'
import { decodeListProof, verifyListProof } from './list.ts'
import type { OutItem } from './message.ts'
import { decodeMessagesProof, provenMessages } from './messages-proof.ts'
import { Reader } from './reader.ts'
import { decodeReceipt, type Receipt } from './receipt.ts'
import { type OpenedProof, openRooted, type ProvenAt, readingProof } from './rooted-proof.ts'
import { parseShardId, ROOT_SHARD } from './shard-id.ts'
import { Writer } from './writer.ts'

/** A block of a shard that a root block lists. */
export interface RootedBlock extends ProvenAt {
  readonly header: BlockHeader
  readonly headerHash: Uint8Array
}

/** A transaction in a block that a root block lists. */
export interface RootedTransaction extends RootedBlock {
  /** What its block made of it. */
  readonly receipt: Receipt
}

/** All that a block, or a root block, sent to one shard. */
export interface RootedMessages extends ProvenAt {
  /** Null for what the root chain sent with the root block itself. */
  readonly header: BlockHeader | null
  readonly items: readonly OutItem[]
}

/** CBOR[header]: what a rooted proof of nothing but a block's header holds. */
export function encodeBlockProof(header: Uint8Array): Uint8Array {
  const writer = new Writer()
  writer.value([header])
  return writer.finish()
}

/**
 * Checks a rooted proof, of CBOR[header], that a root block lists a block.
 * @param at the block that it must be
 * @param trusted hash of a trusted root header, 32 bytes
 * @throws ProofInvalidError
 */
export function verifyRootedBlock(
  bytes: Uint8Array,
  at: { readonly shard: string; readonly height: number },
  trusted: Uint8Array,
): RootedBlock {
  return readingProof(() => {
    const opened = openRooted(bytes, trusted)
    const reader = new Reader(opened.proof)
    reader.arrayOf(1)
    reader.bytes()
    reader.done()
    const found = blockOf(opened)
    holdSubject(found.header.shard === at.shard && found.header.height === at.height, 'it is about another block')
    return found
  })
}

/**
 * Checks a rooted proof, of CBOR[header, receipt, list proof], that a transaction is in a block, and what came of it there.
 * @param id of the transaction, 32 bytes
 * @param trusted hash of a trusted root header, 32 bytes
 * @throws ProofInvalidError
 */
export function verifyRootedTransaction(bytes: Uint8Array, id: Uint8Array, trusted: Uint8Array): RootedTransaction {
  return readingProof(() => {
    const opened = openRooted(bytes, trusted)
    const reader = new Reader(opened.proof)
    reader.arrayOf(3)
    reader.bytes()
    const encoded = reader.bytes()
    const place = decodeListProof(reader.bytes())
    reader.done()
    const block = blockOf(opened)
    const receipt = decodeReceipt(encoded)
    holdSubject(equal(receipt.id, id), 'it is about another transaction')
    holdContent(verifyListProof(block.header.txRoot, encoded, place), "the receipt is not in the header's txRoot")
    return { ...block, receipt }
  })
}

/**
 * Checks a rooted proof, of a `MessagesProof`, about all messages that a block sent to a shard.
 * @param from the block that sent them; `root` and a root height for the root chain's own
 * @param to id of the shard, or of a part of one
 * @param trusted hash of a trusted root header, 32 bytes
 * @throws ProofInvalidError; CodecError if `to` names no shard
 */
export function verifyRootedMessages(
  bytes: Uint8Array,
  from: { readonly shard: string; readonly height: number },
  to: string,
  trusted: Uint8Array,
): RootedMessages {
  const receiver = parseShardId(to)
  return readingProof(() => {
    const opened = openRooted(bytes, trusted)
    const { proof, root, rootHash, block } = opened
    const source = block === null ? { shard: ROOT_SHARD, height: root.height } : block.header
    holdSubject(source.shard === from.shard && source.height === from.height, 'it is about another block')
    const { outRoot } = block === null ? root : block.header
    const items = provenMessages(decodeMessagesProof(proof), outRoot, receiver)
    if (items === undefined) {
      throw new ProofInvalidError('CONTENT', `these are not all messages to ${to} in the header's outRoot`)
    }
    return { root, rootHash, header: block === null ? null : block.header, items }
  })
}

function blockOf({ root, rootHash, block }: OpenedProof): RootedBlock {
  if (block !== null) return { root, rootHash, header: block.header, headerHash: block.hash }
  throw new CodecError('MALFORMED', 'a root block is no block of a shard')
}

function holdSubject(isAbout: boolean, message: string): void {
  if (!isAbout) throw new ProofInvalidError('SUBJECT', message)
}

function holdContent(holds: boolean, message: string): void {
  if (!holds) throw new ProofInvalidError('CONTENT', message)
}
