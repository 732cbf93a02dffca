import { Registry } from 'prom-client'
import type { Log } from '../plugin/host.ts'
import type { Metrics } from '../plugin/metrics.ts'
import { CounterFamily, GaugeFamily, HistogramFamily } from './families.ts'
import { MetricMaker } from './metric-maker.ts'

export type Family = CounterFamily | GaugeFamily | HistogramFamily

/** All metrics of one node: its own, and its plugins'. */
export class MetricsRegistry {
  /** What /metrics is served as. */
  readonly contentType: string = Registry.PROMETHEUS_CONTENT_TYPE
  /** The core's own metrics. They have no label `plugin` unless they declare one. */
  readonly core: MetricMaker
  readonly #registry = new Registry()
  readonly #families = new Map<string, Family>()
  readonly #makers = new Map<string, MetricMaker>()
  readonly #refreshes: (() => void)[] = []
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
    this.core = this.#makerOf(undefined)
  }

  /** What one plugin sees: its metrics have the label `plugin`. */
  of(plugin: string): Metrics {
    const known = this.#makers.get(plugin)
    if (known !== undefined) return known
    const maker = this.#makerOf(plugin)
    this.#makers.set(plugin, maker)
    return maker
  }

  /** Calls the listener before each scrape: it sets gauges whose labels are not known beforehand. */
  readonly beforeScrape = (refresh: () => void): void => void this.#refreshes.push(refresh)

  /** Everything in Prometheus's text format. */
  text(): Promise<string> {
    for (const refresh of this.#refreshes) refresh()
    return this.#registry.metrics()
  }

  #makerOf(plugin: string | undefined): MetricMaker {
    return new MetricMaker(plugin, (name, kind, help) => this.#family(name, kind, help), this.#log)
  }

  #family(name: string, kind: 'counter' | 'gauge' | 'histogram', help: string): Family {
    const known = this.#families.get(name)
    if (known !== undefined) return known
    const made =
      kind === 'counter'
        ? new CounterFamily(name, help)
        : kind === 'gauge'
          ? new GaugeFamily(name, help)
          : new HistogramFamily(name, help)
    this.#families.set(name, made)
    this.#registry.registerMetric(made)
    return made
  }
}
