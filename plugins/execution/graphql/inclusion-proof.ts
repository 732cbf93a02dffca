import { receiptProof } from '../proofs/receipt-proof.ts'
import type { TransactionRow } from '../query/transaction-row.ts'
import type { Loaders } from './loaders.ts'

/** What asking for one costs: all receipts of its block are hashed, for some milliseconds. */
export const INCLUSION_PROOF_COST = 100

/** That a transaction is in its block, and what came of it there; null if its block cannot be read. */
export async function inclusionProof(loaders: Loaders, row: TransactionRow): Promise<Uint8Array | null> {
  const [block, receipts] = await Promise.all([loaders.blocks.load(row), loaders.receipts.load(row)])
  return (block && receipts && receiptProof(block.header, receipts, row.index)) ?? null
}
