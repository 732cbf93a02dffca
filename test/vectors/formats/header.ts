import {
  type BlockHeader,
  bodyHash,
  decodeHeader,
  encode,
  encodeBody,
  encodeHeader,
  headerHash,
  toHex,
} from '../../../protocol/index.ts'
import { filler, refusal, type VectorFile } from '../vector.ts'

const header: BlockHeader = {
  shard: '0:01',
  height: 42,
  prevHash: filler(32, 1),
  rootCursor: 1000,
  txRoot: filler(32, 2),
  outRoot: filler(32, 3),
  cellsRoot: filler(32, 4),
  deferredRoot: new Uint8Array(32),
  arrivals: 17,
  basePrice: 250n,
  bodyHash: filler(32, 5),
  txCount: 300,
  txWeight: 23_456_789n,
  weight: 123_456_789n,
  congestion: 500,
  time: 1_750_000_000_000,
}

export function headerVectors(): VectorFile {
  const encoded = encodeHeader(header)
  // A body only strings its transactions together, so any items show its hash.
  const body = encodeBody([encode([1, 'one']), encode([2, 'two'])])
  return {
    format: 'header',
    about:
      'CBOR[shard, height, prevHash, rootCursor, txRoot, outRoot, cellsRoot, deferredRoot, arrivals, basePrice, bodyHash, txCount, txWeight, weight, congestion, time in ms]; hash = SHA-256("deaios/header/1\\0" || CBOR). A body is a CBOR array of transactions as on the wire; bodyHash = SHA-256("deaios/body/1\\0" || body).',
    cases: [
      {
        shard: header.shard,
        height: header.height,
        prevHash: toHex(header.prevHash),
        rootCursor: header.rootCursor,
        txRoot: toHex(header.txRoot),
        outRoot: toHex(header.outRoot),
        cellsRoot: toHex(header.cellsRoot),
        deferredRoot: toHex(header.deferredRoot),
        arrivals: header.arrivals,
        basePrice: header.basePrice.toString(),
        bodyHash: toHex(header.bodyHash),
        txCount: header.txCount,
        txWeight: header.txWeight.toString(),
        weight: header.weight.toString(),
        congestion: header.congestion,
        time: header.time,
        bytes: toHex(encoded),
        hash: toHex(headerHash(encoded)),
      },
      { body: toHex(body), bodyHash: toHex(bodyHash(body)) },
    ],
    refused: [
      refusal('a hash of 31 bytes', encodeHeader({ ...header, prevHash: filler(31, 1) }), decodeHeader),
      refusal('a price of 2^128', encodeHeader({ ...header, basePrice: 1n << 128n }), decodeHeader),
    ],
  }
}
