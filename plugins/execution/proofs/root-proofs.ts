import {
  decodeHeader,
  decodeRootHeader,
  encodeMessagesProof,
  encodeRootedProof,
  messagesProof,
  Reader,
  type Shard,
} from '../../../protocol/index.ts'
import type { Sql } from '../../../server/plugin.ts'
import { splitOut } from '../shard/out-index.ts'
import { ExportTries } from './export-tries.ts'
import { Listings } from './listings.ts'
import { RootWait } from './root-wait.ts'

/** The largest proof of messages, in bytes. */
const MAX_MESSAGES_PROOF = 2 << 20

/** What asking for one costs: a query that may cost 25,000 gets less than ten, so its answer stays in memory. */
export const MESSAGES_PROOF_COST = 2_500

/** There are too many messages for one proof. */
export class ProofTooLargeError extends Error {
  override readonly name = 'ProofTooLargeError'
  readonly code = 'PROOF_TOO_LARGE'
}

/** Makes proofs that lead to root headers (protocol/rooted-proof.ts). */
export class RootProofs {
  readonly roots: RootWait
  readonly #listings: Listings
  readonly #exports: ExportTries

  /**
   * @param sql taken when something is asked for
   * @param rootHeight height of the last durable root block
   * @param listedWithinMs how long a block may take to be listed by a root block; 5 s if absent
   */
  constructor(sql: () => Sql, rootHeight: () => number, listedWithinMs?: number) {
    this.roots = new RootWait(rootHeight)
    this.#listings = new Listings(sql, this.roots, listedWithinMs)
    this.#exports = new ExportTries(sql)
  }

  /**
   * Leads a proof on to the root block that lists its header: waits for that one, for a bounded time.
   * @param proof CBOR array that begins with the header of a durable block, or of a root block
   * @throws NotListedError, ListingGoneError
   */
  async lead(proof: Uint8Array): Promise<Uint8Array> {
    const reader = new Reader(proof)
    reader.arrayHeader()
    const header = reader.bytes()
    if (isOfRoot(header)) return encodeRootedProof({ proof, listed: null })
    const { shard, height } = decodeHeader(header)
    return encodeRootedProof({ proof, listed: await this.#listings.of({ shard, height }) })
  }

  /**
   * All that a block sent to a shard, led on to a root block.
   * @param header CBOR of the header of a shard's block or of a root block
   * @param outgoing its out items, one after the other
   * @throws NotListedError, ListingGoneError, ProofTooLargeError
   */
  messages(header: Uint8Array, outgoing: Uint8Array, to: Shard): Promise<Uint8Array> {
    const proof = encodeMessagesProof(messagesProof(header, splitOut(outgoing), to))
    if (proof.length <= MAX_MESSAGES_PROOF) return this.lead(proof)
    throw new ProofTooLargeError(
      `the messages take ${proof.length} bytes, and a proof ${MAX_MESSAGES_PROOF}: ask for parts, like ${to.id}0 and ${to.id}1`,
    )
  }

  /** What the root chain exports under a key as of a root block. @param root CBOR of its header */
  async export(root: Uint8Array, key: string): Promise<Uint8Array> {
    return this.lead(await this.#exports.prove(root, key))
  }
}

/** A root header has ten items, that of a shard's block fifteen. */
function isOfRoot(header: Uint8Array): boolean {
  if (new Reader(header).arrayHeader() !== 10) return false
  decodeRootHeader(header)
  return true
}
