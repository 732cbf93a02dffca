/** A submission that could not be looked at; nothing of it was taken, and submitting the same bytes again is safe. */
export class SubmissionError extends Error {
  override readonly name = 'SubmissionError'
  readonly code: 'OVERLOADED' | 'SHARD_UNAVAILABLE' | 'DATABASE_UNAVAILABLE' | 'VERIFIER_CRASHED' | 'DRAINING'

  constructor(code: SubmissionError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** The refusal of a ledger that found a fault: somebody has to mend it, and may. */
export const halted = (fault: Error): SubmissionError =>
  new SubmissionError('SHARD_UNAVAILABLE', `the ledger has halted and takes no transactions: ${fault.message}`)

/** So many transactions are followed already. */
export class WatchLimitError extends RangeError {
  override readonly name = 'WatchLimitError'
  readonly code = 'WATCH_LIMIT'
}
