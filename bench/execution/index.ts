import type { Benchmark } from '../benchmark.ts'
import { cells } from './cells.ts'
import { shards } from './shards.ts'
import { transfers } from './transfers.ts'

/** Layer 1, in the order of its table of figures. */
export const executionBenchmarks: readonly Benchmark[] = [transfers, shards, cells]
