import type { TransactionParts, TransactionStatus } from './operations.ts'

/** How far a transaction got. */
export interface TransactionInfo {
  /** 0x-hex. */
  readonly id: string
  readonly status: TransactionStatus
  /** Why it came to nothing, or its first refused action. */
  readonly error: { readonly code: string; readonly message: string } | undefined
  /** What it was charged, in the smallest unit; undefined while it is in no block. */
  readonly fee: bigint | undefined
  /** The shard of its sender. */
  readonly shard: string | undefined
  /** The height of its block there. */
  readonly height: number | undefined
}

/** Reads what the server answers about a transaction. */
export function transactionInfo(id: string, parts: TransactionParts): TransactionInfo {
  const { status, error, fee, shard, block } = parts
  return {
    id,
    status,
    error: error ?? undefined,
    fee: fee === null ? undefined : BigInt(fee),
    shard: shard?.id,
    height: block === null ? undefined : Number(block.height),
  }
}
