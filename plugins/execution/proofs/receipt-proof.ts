import { encode, encodeListProof, type ListProof, listProver, splitReceipts } from '../../../protocol/index.ts'

interface Receipts {
  readonly leaves: readonly Uint8Array[]
  readonly prove: (index: number) => ListProof
}

/** By what a request read of a block: whoever asks for all of its transactions has it hashed once. */
const known = new WeakMap<Uint8Array, Receipts>()

/**
 * That a transaction is in its block and what came of it there: CBOR [header, receipt, list proof], three byte strings.
 * The receipt's list proof leads to the header's `txRoot`; the header's hash is the block's. Undefined if the block has
 * no transaction at that place.
 * @param header CBOR of the block's header
 * @param receipts all of the block's, one after the other
 */
export function receiptProof(header: Uint8Array, receipts: Uint8Array, index: number): Uint8Array | undefined {
  const { leaves, prove } = known.get(receipts) ?? receiptsOf(receipts)
  const receipt = leaves[index]
  return receipt && encode([header, receipt, encodeListProof(prove(index))])
}

function receiptsOf(receipts: Uint8Array): Receipts {
  const leaves = splitReceipts(receipts)
  const made = { leaves, prove: listProver(leaves) }
  known.set(receipts, made)
  return made
}
