import nacl from 'tweetnacl'
import { decodeGenesis, decodeVotes, equal, networkId, toHex, votingBytes } from '../../protocol/index.ts'
import { invalid, proving } from './proven.ts'

/** Those whose votes make root blocks final. */
export interface Validators {
  /** ed25519 public keys by 0x-hex. */
  readonly keys: ReadonlySet<string>
  /** How many of them must vote. */
  readonly quorum: number
}

/**
 * The validators that a genesis document names.
 * @param network the id that the document must have, 32 bytes
 * @throws ClientError PROOF_INVALID if it is the document of another network
 */
export function validatorsOf(document: Uint8Array, network: Uint8Array): Validators {
  if (!equal(networkId(document), network)) {
    throw invalid('GENESIS', `the node shows the genesis of another network than ${toHex(network)}`)
  }
  const { validators, quorum } = proving(() => decodeGenesis(document))
  return { keys: new Set(validators.map(toHex)), quorum }
}

/**
 * True if a quorum voted for a root block.
 * @param hash of the root block, 32 bytes
 * @param votes CBOR of them
 * @throws ClientError PROOF_INVALID if the bytes are no votes
 */
export function isVotedFor(hash: Uint8Array, votes: Uint8Array, { keys, quorum }: Validators): boolean {
  const message = votingBytes(hash)
  let valid = 0
  // Checking a signature takes milliseconds here: those of strangers are not looked at.
  for (const { validator, signature } of proving(() => decodeVotes(votes))) {
    if (keys.has(toHex(validator)) && nacl.sign.detached.verify(message, signature, validator)) valid++
    if (valid === quorum) return true
  }
  return false
}
