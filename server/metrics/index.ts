/** Prometheus metrics of a node and its plugins. */
export { MetricError, type MetricErrorCode } from './errors.ts'
export type { Lines, MetricMaker } from './metric-maker.ts'
export { processMetrics } from './process-metrics.ts'
export { MetricsRegistry } from './registry.ts'
export type { CounterSeries, GaugeSeries, HistogramSeries } from './series.ts'
export { MAX_SERIES } from './series-set.ts'
