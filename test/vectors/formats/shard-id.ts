import { cellPath, parseShardId, prefixOf, shardOf, toHex } from '../../../protocol/index.ts'
import { keyPair, refusal, type VectorFile } from '../vector.ts'

const utf8 = new TextEncoder()
const names = ['0:', '0:0', '0:1', '0:01', '17:0110', '4294967294:', 'root']
const wrong = ['', '0', ':0', '00:', '0:2', '0:0 ', '4294967295:', `0:${'0'.repeat(65)}`]

export function shardIdVectors(): VectorFile {
  const shards = ['0:0', '0:10', '0:11'].map(parseShardId)
  return {
    format: 'shard-id',
    about:
      'REALM:BITS, the realm in decimal without leading zeros, the bits (at most 64) those with which the path of its cells begins, from the highest bit of the first byte; the root chain, realm 2^32-1, is called root. Refused names are given as the hex of their UTF-8.',
    cases: [
      ...names.map((id) => ({ ...parseShardId(id) })),
      ...[1, 2, 3, 4, 5].map((seed) => {
        const account = keyPair(seed).publicKey
        const path = cellPath(account)
        return {
          account: toHex(account),
          path: toHex(path),
          firstBits: prefixOf(path, 8),
          among: shards.map((shard) => shard.id),
          shard: shardOf(shards, 0, path)?.id ?? null,
        }
      }),
    ],
    refused: wrong.map((id) =>
      refusal(JSON.stringify(id), utf8.encode(id), (bytes) => parseShardId(new TextDecoder().decode(bytes))),
    ),
  }
}
