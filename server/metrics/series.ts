import { MetricError } from './errors.ts'

/**
 * One line of a metric: the value for one choice of labels. Keep it where a value is written often: writing takes some
 * nanoseconds, while prom-client's own metrics take 200 to 400 to find the line again.
 */
export class CounterSeries {
  value = 0

  /** @throws MetricError METRIC_VALUE for less than 0, and for what is no number */
  add(by: number): void {
    if (!(by >= 0)) throw new MetricError('METRIC_VALUE', `a counter only grows; it cannot be added ${by}`)
    this.value += by
  }
}

/** A value that goes up and down. */
export class GaugeSeries {
  value = 0

  set(value: number): void {
    this.value = value
  }
}

/** How often values fell into each of some ranges. */
export class HistogramSeries {
  readonly bounds: readonly number[]
  /** For each bound how many values were at most it and above the one before; the last is for those above all. */
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Array<number>(bounds.length + 1).fill(0)
  }

  /** @throws MetricError METRIC_VALUE for what is no number */
  observe(value: number): void {
    if (Number.isNaN(value)) throw new MetricError('METRIC_VALUE', 'a histogram takes numbers, not NaN')
    const { bounds } = this
    let at = 0
    while (at < bounds.length && value > bounds[at]!) at++
    this.counts[at]!++
    this.sum += value
  }
}
