import type { Benchmark } from '../benchmark.ts'
import { queue } from './queue.ts'

/** What plugins do by themselves. */
export const jobsBenchmarks: readonly Benchmark[] = [queue]
