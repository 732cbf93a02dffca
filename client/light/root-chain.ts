import { decodeRootHeader, equal, type RootHeader, rootHeaderHash, toHex } from '../../protocol/index.ts'
import { ClientError } from '../errors.ts'
import { invalid, proving } from './proven.ts'
import { isVotedFor, type Validators } from './validators.ts'
import type { TrustedRoot } from './verified.ts'

/** A root block as a node shows it. */
export interface ShownRoot {
  readonly header: RootHeader
  /** CBOR of the header. */
  readonly bytes: Uint8Array
  readonly hash: Uint8Array
  /** CBOR of the votes. */
  readonly votes: Uint8Array
}

/** A root block that is trusted. */
export type VerifiedRoot = Pick<ShownRoot, 'header' | 'bytes' | 'hash'>

/** A verified root block in the form that the light client shows. */
export function trustedRoot({ header, bytes, hash }: VerifiedRoot): TrustedRoot {
  return { height: header.height, hash: toHex(hash), time: new Date(header.time), header: bytes.slice() }
}

/** Verified root blocks that are remembered: some minutes under load. */
const KEPT = 4_096

/** Reads a root block's bytes. @throws ClientError PROOF_INVALID if they are none */
export function shownRoot(bytes: Uint8Array, votes: Uint8Array): ShownRoot {
  return { header: proving(() => decodeRootHeader(bytes)), bytes, hash: rootHeaderHash(bytes), votes }
}

/**
 * The root blocks that a light client trusts: each carries the votes of a quorum, or is an ancestor by hash of one that
 * does. There is one of each height, or it ends with FORK.
 */
export class RootChain {
  readonly #validators: Validators
  readonly #most: number
  readonly #kept = new Map<number, VerifiedRoot>()
  #tip: VerifiedRoot
  #fork: ClientError | undefined

  /**
   * @param first trusted already
   * @param kept how many are remembered
   */
  constructor(validators: Validators, first: VerifiedRoot, kept = KEPT) {
    this.#validators = validators
    this.#most = kept
    this.#tip = first
    this.#keep(first)
  }

  /** The newest. @throws ClientError FORK */
  get tip(): VerifiedRoot {
    if (this.#fork !== undefined) throw this.#fork
    return this.#tip
  }

  /** The trusted hash of a height; undefined above the tip, and for what is not remembered. @throws ClientError FORK */
  hashAt(height: number): Uint8Array | undefined {
    if (this.#fork !== undefined) throw this.#fork
    return this.#kept.get(height)?.hash
  }

  /**
   * Takes in root blocks, one after the other, which may begin with ones that are known. Votes for the last of them
   * vouch for those before, whose hashes it leads to.
   * @returns those that were new
   * @throws ClientError FORK, or PROOF_INVALID if they do not follow from what is trusted; then nothing was taken in
   */
  extend(shown: readonly ShownRoot[]): readonly VerifiedRoot[] {
    const last = shown.at(-1)
    if (last === undefined) return []
    const known = this.tip
    for (const [i, { header }] of shown.entries()) {
      const before = shown[i - 1]
      if (before !== undefined && !follows(header, before)) throw invalid('LINK', 'the root blocks do not follow')
    }
    const first = shown[0] as ShownRoot
    if (first.header.height > known.header.height + 1) throw invalid('LINK', 'root blocks are missing')
    const conflict = this.#conflictOf(shown)
    const isNew = last.header.height > known.header.height
    if (!isNew && conflict === undefined) return []
    if (!isVotedFor(last.hash, last.votes, this.#validators)) {
      throw invalid('VOTES', `root block ${last.header.height} does not carry the votes of a quorum`)
    }
    if (conflict !== undefined) throw this.#forked(...conflict)
    const added = shown.filter(({ header }) => header.height > known.header.height)
    for (const root of added) this.#keep(root)
    this.#tip = last
    return added
  }

  /**
   * Goes on from a later root block, without those between. It carries the votes of a quorum, or it is refused.
   * @throws ClientError PROOF_INVALID
   */
  jump(shown: ShownRoot): void {
    if (shown.header.height <= this.tip.header.height) return
    this.check(shown)
    this.#kept.clear()
    this.#keep(shown)
    this.#tip = shown
  }

  /** Checks the votes for a root block of any height. @throws ClientError PROOF_INVALID */
  check({ header, hash, votes }: ShownRoot): void {
    if (isVotedFor(hash, votes, this.#validators)) return
    throw invalid('VOTES', `root block ${header.height} does not carry the votes of a quorum`)
  }

  /** Where what is shown contradicts what is trusted: the height, and both hashes. */
  #conflictOf(shown: readonly ShownRoot[]): [height: number, trusted: Uint8Array, other: Uint8Array] | undefined {
    for (const { header, hash } of shown) {
      const before = this.#kept.get(header.height - 1)
      if (before !== undefined && !equal(before.hash, header.prevHash))
        return [header.height - 1, before.hash, header.prevHash]
      const same = this.#kept.get(header.height)
      if (same !== undefined && !equal(same.hash, hash)) return [header.height, same.hash, hash]
    }
    return undefined
  }

  #forked(height: number, trusted: Uint8Array, other: Uint8Array): ClientError {
    this.#fork = new ClientError(
      'FORK',
      `the validators voted for two root blocks of height ${height}: ${toHex(trusted)}, which was followed, and ${toHex(other)}`,
      { reason: String(height) },
    )
    return this.#fork
  }

  #keep(root: VerifiedRoot): void {
    this.#kept.set(root.header.height, { header: root.header, bytes: root.bytes, hash: root.hash })
    this.#kept.delete(root.header.height - this.#most)
  }
}

const follows = (header: RootHeader, before: ShownRoot): boolean =>
  header.height === before.header.height + 1 && equal(header.prevHash, before.hash)
