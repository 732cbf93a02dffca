import { MEMPOOL_LIMITS, type MempoolLimits } from './mempool.ts'

/** What can be tuned without changing what blocks say. */
export interface ShardTuning {
  /** Clean cells kept in memory. */
  readonly cacheCells: number
  /** Changed cells are written to the cell table after so many, or after `foldMs`. */
  readonly foldCells: number
  readonly foldMs: number
  /** While a block is on its way to the disk, the next is made once so many transactions wait. */
  readonly pipelineAt: number
  readonly mempool: MempoolLimits
  /** Milliseconds of a processor's time that one transaction or message may take before its shard's thread is ended. */
  readonly watchdogMs: number
  /** Megabytes that the thread may take, about 500 bytes a cell included. */
  readonly memoryMb: number
}

export const SHARD_TUNING: ShardTuning = {
  cacheCells: 200_000,
  foldCells: 50_000,
  foldMs: 20_000,
  pipelineAt: 256,
  mempool: MEMPOOL_LIMITS,
  watchdogMs: 5_000,
  memoryMb: 4_096,
}
