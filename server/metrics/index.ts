/** Prometheus metrics of a node and its plugins. */
export { processMetrics } from './process-metrics.ts'
export { MetricsRegistry } from './registry.ts'
export type { CounterSeries, HistogramSeries } from './series.ts'
export { MAX_SERIES } from './series-set.ts'
