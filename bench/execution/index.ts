import type { Benchmark } from '../benchmark.ts'
import { shards } from './shards.ts'

/** Layer 1, in the order of its table of figures. */
export const executionBenchmarks: readonly Benchmark[] = [shards]
