import type { ExecutionResult } from 'graphql'
import type { CounterSeries, MetricsRegistry } from '../metrics/index.ts'
import { outcomeOf } from './outcome.ts'

/** Counts an operation that was answered. `type` is `query`, `mutation` or `subscription`. */
export type OperationMeter = (type: string, result: ExecutionResult) => void

/** Counts operations by how they ended, whatever transport they came by. */
export function operationMeter(metrics: MetricsRegistry): OperationMeter {
  const operations = metrics.core.counter({
    name: 'graphql_operations_total',
    help: 'GraphQL operations by how they ended: ok, or the code of the first error.',
    labels: ['type', 'outcome'],
  })
  // Nearly all of them: found without a search.
  const ok = new Map<string, CounterSeries>(
    ['query', 'mutation', 'subscription'].map((type) => [type, operations.line({ type, outcome: 'ok' })]),
  )
  return (type, result) => {
    const line = result.errors === undefined ? ok.get(type) : operations.line({ type, outcome: outcomeOf(result) })
    line?.add(1)
  }
}
