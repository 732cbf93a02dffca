import { BenchError, type Benchmark } from './benchmark.ts'
import { executionBenchmarks } from './execution/index.ts'
import { graphqlBenchmarks } from './graphql/index.ts'
import { jobsBenchmarks } from './jobs/index.ts'

/** Everything that can be measured, in the order in which `all` does. */
export const benchmarks: readonly Benchmark[] = [...executionBenchmarks, ...graphqlBenchmarks, ...jobsBenchmarks]

const layerOf = ({ name }: Benchmark): string => name.slice(0, name.indexOf('.'))

/** The names that the command takes: everything, whole layers, single benchmarks. */
function benchmarkNames(): string[] {
  return ['all', ...new Set(benchmarks.map(layerOf)), ...benchmarks.map(({ name }) => name)]
}

/** The benchmarks of a name. @throws BenchError UNKNOWN_BENCHMARK */
export function findBenchmarks(name: string): readonly Benchmark[] {
  const found = benchmarks.filter(
    (benchmark) => name === 'all' || name === layerOf(benchmark) || name === benchmark.name,
  )
  if (found.length > 0) return found
  throw new BenchError(
    'UNKNOWN_BENCHMARK',
    `there is no benchmark "${name}"; there are ${benchmarkNames().join(', ')} (see --list)`,
  )
}
