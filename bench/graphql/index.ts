import type { Benchmark } from '../benchmark.ts'
import { keyCheck } from './key-check.ts'
import { list } from './list.ts'
import { liveBenchmarks } from './live/index.ts'
import { object } from './object.ts'
import { testHost } from './test-host.ts'

/** The edge: queries, and live deliveries. */
export const graphqlBenchmarks: readonly Benchmark[] = [object, list, keyCheck, ...liveBenchmarks, testHost]
