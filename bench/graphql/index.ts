import type { Benchmark } from '../benchmark.ts'

/** The edge: queries, and live deliveries. */
export const graphqlBenchmarks: readonly Benchmark[] = []
