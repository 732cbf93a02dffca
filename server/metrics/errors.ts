export type MetricErrorCode = 'METRIC_NAME' | 'METRIC_CLASH' | 'METRIC_VALUE'

/** A metric cannot be made, or not be given that value. The message names the plugin and the metric. */
export class MetricError extends Error {
  override readonly name = 'MetricError'
  readonly code: MetricErrorCode

  constructor(code: MetricErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
