import * as prometheus from 'prom-client'
import type { CounterSeries, GaugeSeries, HistogramSeries } from './series.ts'
import type { SeriesSet } from './series-set.ts'

/** A plugin's lines of a metric, and the labels that all of them have. */
export interface Part<S> {
  readonly fixed: Readonly<Record<string, string>>
  readonly labels: readonly string[]
  readonly series: SeriesSet<S>
  /** Brings the values up to date, where they are asked for rather than told. */
  readonly refresh?: () => void
}

/**
 * prom-client's metrics with values of our own: it keeps the list and writes the text, and the values are plain fields
 * that cost nothing to change. Nothing calls its own `inc`, `set` or `observe`.
 */
export class CounterFamily extends prometheus.Counter {
  readonly parts: Part<CounterSeries>[] = []

  constructor(name: string, help: string) {
    super({ name, help, registers: [] })
  }

  override async get(): ReturnType<prometheus.Counter['get']> {
    return { ...(await super.get()), values: valuesOf(this.parts) }
  }
}

export class GaugeFamily extends prometheus.Gauge {
  readonly parts: Part<GaugeSeries>[] = []

  constructor(name: string, help: string) {
    super({ name, help, registers: [] })
  }

  override async get(): ReturnType<prometheus.Gauge['get']> {
    return { ...(await super.get()), values: valuesOf(this.parts) }
  }
}

export class HistogramFamily extends prometheus.Histogram {
  readonly parts: Part<HistogramSeries>[] = []
  readonly #empty: prometheus.Histogram
  readonly #name: string

  constructor(name: string, help: string) {
    const described = { name, help, registers: [] }
    super(described)
    this.#empty = new prometheus.Histogram(described)
    this.#name = name
  }

  override async get(): ReturnType<prometheus.Histogram['get']> {
    const values = this.parts.flatMap(({ fixed, labels, series }) =>
      [...series].flatMap((line) =>
        histogramLines(this.#name, { ...fixed, ...labelsOf(labels, line.values) }, line.series),
      ),
    )
    return { ...(await this.#empty.get()), values }
  }

  /** What a registry asks for instead of `get`; the base class would answer with its own, empty values. */
  getForPromString(): ReturnType<prometheus.Histogram['get']> {
    return this.get()
  }
}

function histogramLines(
  name: string,
  labels: Readonly<Record<string, string>>,
  { bounds, counts, sum }: HistogramSeries,
): readonly prometheus.MetricValueWithName<string>[] {
  let total = 0
  const buckets = counts.map((count, at) => {
    total += count
    return { metricName: `${name}_bucket`, labels: { ...labels, le: bounds[at] ?? '+Inf' }, value: total }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: total },
  ]
}

function valuesOf<S extends { readonly value: number }>(parts: readonly Part<S>[]): prometheus.MetricValue<string>[] {
  return parts.flatMap(({ fixed, labels, series, refresh }) => {
    refresh?.()
    return [...series].map((line) => ({
      labels: { ...fixed, ...labelsOf(labels, line.values) },
      value: line.series.value,
    }))
  })
}

const labelsOf = (names: readonly string[], values: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']))
