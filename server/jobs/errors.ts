export type JobErrorCode =
  /** The plugin has no such job. */
  | 'JOB_UNKNOWN'
  /** The data cannot be kept as a piece of work: a function, a symbol, a class. */
  | 'JOB_DATA_INVALID'
  | 'JOB_DATA_TOO_LARGE'
  /** More work waits than a job may have. */
  | 'JOB_QUEUE_FULL'
  /** The run took longer than its job may; it was aborted. */
  | 'JOB_TIMED_OUT'
  /** The run did not end after it had been aborted; nobody waits for it any more. */
  | 'JOB_IGNORES_ABORT'
  /** The process that ran it was gone for too long: the run belongs to another now. */
  | 'JOB_LOST'
  /** The node stops; the run is done again later. */
  | 'NODE_STOPS'

/** What is wrong with a job or one of its runs. */
export class JobError extends Error {
  override readonly name = 'JobError'
  readonly code: JobErrorCode
  readonly plugin: string
  readonly job: string

  constructor(
    code: JobErrorCode,
    { plugin, name }: { readonly plugin: string; readonly name: string },
    problem: string,
  ) {
    super(`plugin "${plugin}", job "${name}": ${problem}`)
    this.code = code
    this.plugin = plugin
    this.job = name
  }
}
