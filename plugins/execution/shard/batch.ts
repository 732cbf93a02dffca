/** Verified transactions on their way to a shard, packed so that they cross threads without a copy. */
export interface TransactionBatch {
  /** Chosen by the sender; answers carry it. */
  readonly batch: number
  /** 32 bytes for each transaction. */
  readonly ids: Uint8Array<ArrayBuffer>
  readonly lengths: Uint32Array<ArrayBuffer>
  /** The wire bytes, one after the other. */
  readonly data: Uint8Array<ArrayBuffer>
  /** True if the sender wants to know when each is included. */
  readonly wait: boolean
}

/** Transactions that another shard's pool had, packed likewise. */
export type PooledBatch = Pick<TransactionBatch, 'ids' | 'lengths' | 'data'>

/** What a shard says to a batch at once. */
export interface BatchAdmission {
  readonly batch: number
  /** One of ADMITTED, KNOWN, BARRED, or REFUSED + index in REFUSAL_CODES, for each transaction. */
  readonly results: Uint8Array<ArrayBuffer>
  /** More exact messages than a code's own, by index. */
  readonly messages: readonly (readonly [index: number, message: string])[]
}

export const ADMITTED = 0
/** It is waiting in the mempool already. */
export const KNOWN = 1
/** It broke a block before, and is not taken again for a while. */
export const BARRED = 2
export const REFUSED = 3

/** The wire bytes of a packed batch, as views. */
export function* wiresOf(batch: {
  readonly lengths: Uint32Array
  readonly data: Uint8Array
}): Generator<Uint8Array, void> {
  let at = 0
  for (const length of batch.lengths) {
    yield batch.data.subarray(at, at + length)
    at += length
  }
}
