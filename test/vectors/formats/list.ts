import { encode, encodeListProof, encodeReceipt, listProof, listRoot, STATUS, toHex } from '../../../protocol/index.ts'
import { filler, type VectorFile } from '../vector.ts'

export function listVectors(): VectorFile {
  const lists = [0, 1, 2, 3, 4, 5, 9].map((count) => Array.from({ length: count }, (_, i) => encode(i)))
  const receipts = [
    encodeReceipt({ id: filler(32, 1), statuses: new Uint8Array([STATUS.DONE]), fee: 17n, errors: [] }),
    encodeReceipt({
      id: filler(32, 2),
      statuses: new Uint8Array([STATUS.SENT, STATUS.REFUSED, STATUS.DONE]),
      fee: 40n,
      errors: [{ action: 1, code: 'WRONG_OWNER', message: 'the cell belongs to another module' }],
    }),
  ]
  return {
    format: 'list',
    about:
      'leaf = SHA-256(0x00 || SHA-256(item)); padded with zero hashes to a power of two (one for no item); node = SHA-256(left || right); root = SHA-256(0x02 || u64be count || top). A proof is CBOR[count, index, siblings from the leaf up]. A transaction in a block is its receipt CBOR[id, statuses, fee, [[action, code, message]...]], a status a byte and action: 0 done, 1 refused, 2 sent on.',
    cases: [...lists, receipts].map((items) => ({
      items: items.map(toHex),
      root: toHex(listRoot(items)),
      proofs: items.map((_, index) => toHex(encodeListProof(listProof(items, index)))),
    })),
  }
}
