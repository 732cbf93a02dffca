import { encode, encodeListProof, listProof, splitReceipts } from '../../../protocol/index.ts'
import type { TransactionRow } from '../query/transaction-row.ts'
import type { Loaders } from './loaders.ts'

/**
 * That a transaction is in its block and what came of it there: CBOR [header, receipt, list proof], three byte strings.
 * The receipt's list proof leads to the header's `txRoot`; the header's hash is the block's.
 */
export async function inclusionProof(loaders: Loaders, row: TransactionRow): Promise<Uint8Array | null> {
  const [block, receipts] = await Promise.all([loaders.blocks.load(row), loaders.receipts.load(row)])
  if (block === null || receipts === null) return null
  const leaves = splitReceipts(receipts)
  const receipt = leaves[row.index]
  if (receipt === undefined) return null
  return encode([block.header, receipt, encodeListProof(listProof(leaves, row.index))])
}
