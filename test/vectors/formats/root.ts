import nacl from 'tweetnacl'
import {
  type CommittedHeader,
  decodeVotes,
  encode,
  encodeCommittedHeader,
  encodeRootHeader,
  encodeVotes,
  headersRoot,
  type RootHeader,
  rootHeaderHash,
  sortCommitted,
  toHex,
  votingBytes,
} from '../../../protocol/index.ts'
import { filler, keyPair, refusal, type VectorFile } from '../vector.ts'

const committed: readonly CommittedHeader[] = [
  { shard: '0:1', height: 9, hash: filler(32, 3) },
  { shard: '0:0', height: 12, hash: filler(32, 2) },
  { shard: '0:0', height: 11, hash: filler(32, 1) },
]

const header: RootHeader = {
  height: 77,
  prevHash: filler(32, 4),
  time: 1_750_000_000_000,
  headersRoot: headersRoot(committed),
  cellsRoot: filler(32, 5),
  outRoot: filler(32, 6),
  exportsRoot: new Uint8Array(32),
  reveal: filler(32, 7),
  random: filler(32, 8),
  anchor: filler(32, 9),
}

export function rootVectors(): VectorFile {
  const encoded = encodeRootHeader(header)
  const hash = rootHeaderHash(encoded)
  const votes = [4, 5].map(keyPair).map(({ publicKey, secretKey }) => ({
    validator: publicKey,
    signature: nacl.sign.detached(votingBytes(hash), secretKey),
  }))
  const twice = encode([votes[0]!, votes[0]!].map((vote) => [vote.validator, vote.signature]))
  return {
    format: 'root',
    about:
      'headersRoot = list root over CBOR[shard, height, headerHash], sorted by shard, then height. Root header = CBOR[height, prevHash, time, headersRoot, cellsRoot, outRoot, exportsRoot, reveal, random, anchor]; hash = SHA-256("deaios/root-header/1\\0" || CBOR). A vote is [validator, ed25519 over "deaios/root-vote/1\\0" || hash]; a certificate is the CBOR list of votes, sorted by validator. The keys are of the seeds whose 32 bytes are all 4, and all 5.',
    cases: [
      {
        committed: sortCommitted(committed).map((item) => ({
          shard: item.shard,
          height: item.height,
          hash: toHex(item.hash),
          bytes: toHex(encodeCommittedHeader(item)),
        })),
        height: header.height,
        prevHash: toHex(header.prevHash),
        time: header.time,
        headersRoot: toHex(header.headersRoot),
        cellsRoot: toHex(header.cellsRoot),
        outRoot: toHex(header.outRoot),
        exportsRoot: toHex(header.exportsRoot),
        reveal: toHex(header.reveal),
        random: toHex(header.random),
        anchor: toHex(header.anchor),
        bytes: toHex(encoded),
        hash: toHex(hash),
        votingBytes: toHex(votingBytes(hash)),
        certificate: toHex(encodeVotes(votes)),
      },
    ],
    refused: [refusal('a certificate that counts a validator twice', twice, decodeVotes)],
  }
}
