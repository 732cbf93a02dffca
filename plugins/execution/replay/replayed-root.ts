import {
  concat,
  decodeRootHeader,
  decodeVotes,
  equal,
  headersRoot,
  listRoot,
  type RootHeader,
  rootHeaderHash,
  sha256,
  sortCommitted,
  votingBytes,
  ZERO_HASH,
} from '../../../protocol/index.ts'
import { verify } from '../../../server/crypto/ed25519.ts'
import type { Network } from '../genesis.ts'
import type { RootBlock } from '../root/orderer.ts'
import { decodeEntries } from '../root/root-store.ts'
import { mustEqual, type Place, ReplayMismatch, readable } from './mismatch.ts'

/** A root block as it is stored. */
export interface StoredRoot {
  readonly height: number
  readonly hash: Uint8Array
  readonly header: Uint8Array
  /** As root/root-store.ts writes them. */
  readonly entries: Uint8Array
  readonly votes: Uint8Array
}

/** The root chain, checked from its first block on: links, what it commits, randomness and votes. */
export class ReplayedRoot {
  readonly #network: Network
  #tip: RootBlock | undefined
  /** 32 bytes each, by height. */
  #randoms = new Uint8Array(32 * 1024)

  constructor(network: Network) {
    this.#network = network
  }

  /** -1 before the first. */
  get height(): number {
    return this.#tip?.header.height ?? -1
  }

  /** Checks the next root block, and gives what it says. @throws ReplayMismatch */
  check(stored: StoredRoot): RootBlock {
    const place = { shard: 'root', height: this.height + 1 }
    mustEqual(place, 'height', stored.height, place.height)
    const header = readable(place, 'header', () => decodeRootHeader(stored.header))
    const entries = readable(place, 'entries', () => decodeEntries(stored.entries))
    mustEqual(place, 'height', header.height, place.height)
    mustEqual(place, 'prevHash', header.prevHash, this.#tip?.hash ?? ZERO_HASH)
    mustEqual(place, 'hash', stored.hash, rootHeaderHash(stored.header))
    mustEqual(place, 'headersRoot', header.headersRoot, headersRoot(sortCommitted(entries)))
    mustEqual(place, 'outRoot', header.outRoot, listRoot([]))
    mustEqual(place, 'cellsRoot', header.cellsRoot, ZERO_HASH)
    mustEqual(place, 'exportsRoot', header.exportsRoot, ZERO_HASH)
    this.#checkRandomness(place, header)
    this.#checkVotes(place, stored)
    if (header.time < (this.#tip?.header.time ?? 0))
      throw new ReplayMismatch(place, 'time', 'its time is before that of the root block before')
    const block = { header, hash: stored.hash, entries, exports: [] }
    this.#tip = block
    this.#keep(header.height, header.random)
    return block
  }

  /** The randomness of a root block that was checked. */
  randomAt(height: number): Uint8Array {
    return this.#randoms.slice(32 * height, 32 * height + 32)
  }

  #keep(height: number, random: Uint8Array): void {
    if (32 * (height + 1) > this.#randoms.length) {
      const larger = new Uint8Array(2 * this.#randoms.length)
      larger.set(this.#randoms)
      this.#randoms = larger
    }
    this.#randoms.set(random, 32 * height)
  }

  #checkRandomness(place: Place, header: RootHeader): void {
    const before = this.#tip
    if (before === undefined) {
      mustEqual(place, 'random', header.random, this.#network.id)
      mustEqual(place, 'anchor', header.anchor, this.#network.genesis.anchor)
      return
    }
    mustEqual(place, 'reveal', sha256(header.reveal), before.header.anchor)
    mustEqual(place, 'random', header.random, sha256(concat(before.header.random, header.reveal)))
  }

  #checkVotes(place: Place, { hash, votes }: StoredRoot): void {
    const { validators, quorum } = this.#network.genesis
    const message = votingBytes(hash)
    const good = readable(place, 'votes', () => decodeVotes(votes)).filter(
      ({ validator, signature }) =>
        validators.some((known) => equal(known, validator)) && verify(signature, message, validator),
    )
    const voters = new Set(good.map(({ validator }) => Buffer.from(validator).toString('hex')))
    if (voters.size < quorum)
      throw new ReplayMismatch(place, 'votes', `${voters.size} of its votes are good, and it takes ${quorum}`)
  }
}
