import type { Benchmark } from '../../benchmark.ts'
import { coalesced, deliveries, different } from './deliveries.ts'
import { idle } from './idle.ts'
import { publish, resume } from './stream.ts'

/** Live events. */
export const liveBenchmarks: readonly Benchmark[] = [deliveries, coalesced, different, publish, resume, idle]
