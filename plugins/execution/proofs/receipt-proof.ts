import { encode, encodeListProof, listProof, splitReceipts } from '../../../protocol/index.ts'

/**
 * That a transaction is in its block and what came of it there: CBOR [header, receipt, list proof], three byte strings.
 * The receipt's list proof leads to the header's `txRoot`; the header's hash is the block's. Undefined if the block has
 * no transaction at that place.
 * @param header CBOR of the block's header
 * @param receipts all of the block's, one after the other
 */
export function receiptProof(header: Uint8Array, receipts: Uint8Array, index: number): Uint8Array | undefined {
  const leaves = splitReceipts(receipts)
  const receipt = leaves[index]
  return receipt && encode([header, receipt, encodeListProof(listProof(leaves, index))])
}
