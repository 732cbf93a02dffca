import type { Log } from '../plugin/host.ts'
import type { Counter, Gauge, Histogram, MetricOptions, Metrics } from '../plugin/metrics.ts'
import { MetricError } from './errors.ts'
import { CounterFamily, GaugeFamily, HistogramFamily, type Part } from './families.ts'
import { CounterSeries, GaugeSeries, HistogramSeries } from './series.ts'
import { SeriesSet } from './series-set.ts'

type Kind = 'counter' | 'gauge' | 'histogram'
type Labels = Readonly<Record<string, string>>

/** Gives the metric of that full name, which plugins share; of whatever kind the first who asked has made it. */
export type FindFamily = (name: string, kind: Kind, help: string) => CounterFamily | GaugeFamily | HistogramFamily

/** A metric whose lines can be kept by those who write them often. */
export interface Lines<S> {
  /** The line for these labels; the same one each time. */
  line(labels: Labels): S
}

/** What a metric is for whoever makes it: with any labels, which are checked when they are used. */
interface AnyCounter extends Lines<CounterSeries> {
  add(by: number, labels?: Labels): void
}
interface AnyGauge extends Lines<GaugeSeries> {
  set(value: number, labels?: Labels): void
}
interface AnyHistogram extends Lines<HistogramSeries> {
  observe(value: number, labels?: Labels): void
}

interface Made<T> {
  readonly signature: string
  readonly metric: T
}

const NAME = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/
const LABEL = /^[a-z][a-z0-9_]*$/
/** A metric says what it counts in; the first two are numbers without unit. */
const UNITS = ['total', 'count', 'ratio', 'seconds', 'bytes', 'units', 'info']

/** Makes the metrics of one plugin, or of the core. */
export class MetricMaker implements Metrics {
  readonly #plugin: string | undefined
  readonly #find: FindFamily
  readonly #log: Log
  readonly #counters = new Map<string, Made<AnyCounter>>()
  readonly #gauges = new Map<string, Made<AnyGauge>>()
  readonly #histograms = new Map<string, Made<AnyHistogram>>()

  constructor(plugin: string | undefined, find: FindFamily, log: Log) {
    this.#plugin = plugin
    this.#find = find
    this.#log = log
  }

  counter<const Label extends string = never>(options: MetricOptions<Label>): Counter<Label> & Lines<CounterSeries> {
    this.#checkName('counter', options)
    if (!options.name.endsWith('_total')) throw this.#badName(options.name, 'is a counter, whose name ends in _total')
    return this.#once(this.#counters, options, '', () => {
      const family = this.#find(`deaios_${options.name}`, 'counter', options.help)
      if (!(family instanceof CounterFamily)) throw this.#clash(options.name, 'counter')
      const series = this.#add(family.parts, options, () => new CounterSeries())
      return {
        add: (by: number, labels: Labels = {}) => series.of(labels).add(by),
        line: (labels) => series.of(labels),
      }
    })
  }

  gauge<const Label extends string = never>(
    options: MetricOptions<Label> & { readonly read?: () => number },
  ): Gauge<Label> & Lines<GaugeSeries> {
    this.#checkName('gauge', options)
    const { read } = options
    return this.#once(this.#gauges, options, read === undefined ? '' : 'read', () => {
      const family = this.#find(`deaios_${options.name}`, 'gauge', options.help)
      if (!(family instanceof GaugeFamily)) throw this.#clash(options.name, 'gauge')
      const series = this.#add(
        family.parts,
        options,
        () => new GaugeSeries(),
        read && ((lines) => this.#read(options.name, read, lines)),
      )
      return {
        set: (value: number, labels: Labels = {}) => series.of(labels).set(value),
        line: (labels) => series.of(labels),
      }
    })
  }

  histogram<const Label extends string = never>(
    options: MetricOptions<Label> & { readonly buckets: readonly number[] },
  ): Histogram<Label> & Lines<HistogramSeries> {
    this.#checkName('histogram', options)
    const { buckets } = options
    if (
      buckets.length === 0 ||
      buckets.length > 50 ||
      buckets.some((bound, at) => !(bound > (buckets[at - 1] ?? -Infinity)))
    )
      throw this.#badName(options.name, 'has buckets that are not 1 to 50 ascending numbers')
    return this.#once(this.#histograms, options, buckets.join(), () => {
      const family = this.#find(`deaios_${options.name}`, 'histogram', options.help)
      if (!(family instanceof HistogramFamily)) throw this.#clash(options.name, 'histogram')
      const series = this.#add(family.parts, options, () => new HistogramSeries(buckets))
      return {
        observe: (value: number, labels: Labels = {}) => series.of(labels).observe(value),
        line: (labels) => series.of(labels),
      }
    })
  }

  /** The metric of that name if it was asked for in the same way before. */
  #once<T>(made: Map<string, Made<T>>, { name, labels = [] }: MetricOptions<string>, more: string, make: () => T): T {
    const signature = `${labels.join()};${more}`
    const known = made.get(name)
    if (known === undefined) {
      const metric = make()
      made.set(name, { signature, metric })
      return metric
    }
    if (known.signature === signature) return known.metric
    throw new MetricError(
      'METRIC_CLASH',
      `${this.#who}: asks for the metric ${name} a second time, with other labels or buckets; ask for it once and share it`,
    )
  }

  #add<S>(
    parts: Part<S>[],
    { name, labels = [] }: MetricOptions<string>,
    make: () => S,
    refresh?: (series: SeriesSet<S>) => void,
  ): SeriesSet<S> {
    const series = new SeriesSet(labels, make, () =>
      this.#log.warn(
        { ...(this.#plugin === undefined ? {} : { plugin: this.#plugin }), metric: name },
        'a metric has too many different labels; the rest is counted as "other"',
      ),
    )
    parts.push({
      fixed: this.#plugin === undefined ? {} : { plugin: this.#plugin },
      labels,
      series,
      ...(refresh === undefined ? {} : { refresh: () => refresh(series) }),
    })
    return series
  }

  /** A gauge that cannot be read must not keep all others from being scraped. */
  #read(metric: string, read: () => number, series: SeriesSet<GaugeSeries>): void {
    try {
      series.of({}).set(read())
    } catch (error) {
      series.of({}).set(Number.NaN)
      this.#log.warn({ plugin: this.#plugin, metric, error }, 'a metric could not be read')
    }
  }

  #checkName(kind: Kind, { name, labels = [] }: MetricOptions<string>): void {
    if (!NAME.test(name)) throw this.#badName(name, 'is no name; use a-z, 0-9 and _')
    if (name.startsWith('deaios_')) throw this.#badName(name, 'begins with deaios_, which is put before it anyway')
    if (kind !== 'counter' && name.endsWith('_total'))
      throw this.#badName(name, `is a ${kind}, and only counters end in _total`)
    if (!UNITS.some((unit) => name.endsWith(`_${unit}`)))
      throw this.#badName(
        name,
        `does not say its unit; let it end in one of ${UNITS.map((unit) => `_${unit}`).join(', ')}`,
      )
    for (const label of labels)
      if (!LABEL.test(label) || label === 'le' || (this.#plugin !== undefined && label === 'plugin'))
        throw this.#badName(name, `has a label "${label}", which is reserved or no name`)
  }

  get #who(): string {
    return this.#plugin === undefined ? 'the core' : `plugin "${this.#plugin}"`
  }

  #badName(name: string, what: string): MetricError {
    return new MetricError('METRIC_NAME', `${this.#who}: the metric ${name} ${what}`)
  }

  #clash(name: string, kind: Kind): MetricError {
    return new MetricError(
      'METRIC_CLASH',
      `${this.#who}: asks for the metric ${name} as a ${kind}, and it is of another kind already; rename it`,
    )
  }
}
