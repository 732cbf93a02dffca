import type { Benchmark } from '../benchmark.ts'
import { liveBenchmarks } from './live/index.ts'

/** The edge: queries, and live deliveries. */
export const graphqlBenchmarks: readonly Benchmark[] = [...liveBenchmarks]
