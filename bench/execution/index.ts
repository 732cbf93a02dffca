import type { Benchmark } from '../benchmark.ts'
import { across } from './across.ts'
import { actions } from './actions.ts'
import { cells } from './cells.ts'
import { inclusion } from './inclusion.ts'
import { shards } from './shards.ts'
import { single } from './single.ts'
import { split } from './split.ts'
import { transfers } from './transfers.ts'

/** Layer 1. `inclusion` takes the full load that `transfers` found. */
export const executionBenchmarks: readonly Benchmark[] = [
  transfers,
  actions,
  single,
  shards,
  inclusion,
  across,
  cells,
  split,
]
