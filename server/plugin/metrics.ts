/** How a metric is described; `name` ends in its unit: `_total` for counters, else `_seconds`, `_bytes`, `_count`, `_ratio`... */
export interface MetricOptions<Label extends string = never> {
  /** Lower case, without the plugin's name: `deaios_` is put before it, and the label `plugin` tells whose it is. */
  readonly name: string
  readonly help: string
  /** Labels take few values each: never an address, an id or anything else that clients choose. */
  readonly labels?: readonly Label[]
}

export type LabelValues<Label extends string> = Readonly<Record<Label, string>>
type Labelled<Label extends string> = [Label] extends [never]
  ? [labels?: Readonly<Record<string, never>>]
  : [labels: LabelValues<Label>]

export interface Counter<Label extends string = never> {
  /** Adds `by`; 0 or more. */
  add(by: number, ...labels: Labelled<Label>): void
}
export interface Gauge<Label extends string = never> {
  set(value: number, ...labels: Labelled<Label>): void
}
export interface Histogram<Label extends string = never> {
  observe(value: number, ...labels: Labelled<Label>): void
}

/** A plugin's metrics, served at /metrics with the label `plugin`. Asking again for the same name gives the same one. */
export interface Metrics {
  /** The name must end in `_total`. */
  counter<const Label extends string = never>(options: MetricOptions<Label>): Counter<Label>
  /** With `read`, the value is asked for when it is scraped. */
  gauge<const Label extends string = never>(
    options: MetricOptions<Label> & { readonly read?: () => number },
  ): Gauge<Label>
  /** `buckets` are upper bounds, ascending. */
  histogram<const Label extends string = never>(
    options: MetricOptions<Label> & { readonly buckets: readonly number[] },
  ): Histogram<Label>
}
