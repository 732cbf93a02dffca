import { concat, sha256, taggedHash, u64be } from '../../../protocol/index.ts'

/** Reveals of one chain of hashes; then the next chain takes over. */
const CHAIN_LENGTH = 65_536

/** What the orderer discloses with a root block. */
export interface Reveal {
  /** Its hash is what the block before committed. */
  readonly reveal: Uint8Array
  /** What the hash of the next reveal must be. */
  readonly anchor: Uint8Array
}

/**
 * Randomness that its maker fixed in advance: chains of hashes, disclosed back to front, derived from the operator's
 * seed. Each reveal is checked against the one before; the last of a chain commits the end of the next chain.
 */
export class RevealChain {
  readonly #seed: Uint8Array
  #epoch = -1
  #chain: Uint8Array[] = []

  constructor(seed: Uint8Array) {
    this.#seed = seed
  }

  /** What genesis commits: the hash of the first reveal. */
  get genesisAnchor(): Uint8Array {
    return this.#end(0)
  }

  /** The reveal of root block `height`, from 1 on. */
  at(height: number): Reveal {
    const epoch = Math.floor((height - 1) / CHAIN_LENGTH)
    const index = (height - 1) % CHAIN_LENGTH
    if (epoch !== this.#epoch) {
      this.#chain = this.#make(epoch)
      this.#epoch = epoch
    }
    const reveal = this.#chain[CHAIN_LENGTH - 1 - index]!
    return { reveal, anchor: index === CHAIN_LENGTH - 1 ? this.#end(epoch + 1) : reveal }
  }

  #make(epoch: number): Uint8Array[] {
    const chain: Uint8Array[] = [taggedHash('reveal', concat(this.#seed, u64be(epoch)))]
    for (let i = 1; i < CHAIN_LENGTH; i++) chain.push(sha256(chain[i - 1]!))
    return chain
  }

  #end(epoch: number): Uint8Array {
    return sha256(this.#make(epoch)[CHAIN_LENGTH - 1]!)
  }
}
