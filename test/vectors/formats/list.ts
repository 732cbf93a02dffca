import { encode, encodeListProof, encodeTxItem, listProof, listRoot, STATUS, toHex } from '../../../protocol/index.ts'
import { filler, type VectorFile } from '../vector.ts'

export function listVectors(): VectorFile {
  const lists = [0, 1, 2, 3, 4, 5, 9].map((count) => Array.from({ length: count }, (_, i) => encode(i)))
  const txItems = [
    encodeTxItem({ id: filler(32, 1), statuses: new Uint8Array([STATUS.DONE]) }),
    encodeTxItem({ id: filler(32, 2), statuses: new Uint8Array([STATUS.SENT, STATUS.REFUSED, STATUS.DONE]) }),
  ]
  return {
    format: 'list',
    about:
      'leaf = SHA-256(0x00 || SHA-256(item)); padded with zero hashes to a power of two (one for no item); node = SHA-256(left || right); root = SHA-256(0x02 || u64be count || top). A proof is CBOR[count, index, siblings from the leaf up]. A transaction in a block is the item CBOR[id, statuses], a byte an action: 0 done, 1 refused, 2 sent on.',
    cases: [...lists, txItems].map((items) => ({
      items: items.map(toHex),
      root: toHex(listRoot(items)),
      proofs: items.map((_, index) => toHex(encodeListProof(listProof(items, index)))),
    })),
  }
}
