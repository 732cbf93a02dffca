import type { Figure } from './figure.ts'

/** A benchmark cannot give its figure: what it measured did not do its work. */
export class BenchError extends Error {
  override readonly name = 'BenchError'
  readonly code: 'NODE_FAILED' | 'LOAD_FAILED' | 'AUDIT_FAILED' | 'UNKNOWN_BENCHMARK' | 'STOPPED'

  constructor(code: BenchError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** What was asked for on the command line. */
export interface BenchOptions {
  /** Length of each timed part; each benchmark has its own if absent. */
  readonly seconds?: number
  /** Size of the larger state of `execution.cells`. */
  readonly cells?: number
}

/** What a running benchmark works with. */
export interface Bench {
  readonly options: BenchOptions
  /** Tells people how it goes. */
  say(text: string): void
  /** Ended with the benchmark, last opened first: processes, threads, folders. */
  readonly scope: AsyncDisposableStack
  /** An empty folder on the disk to be measured, removed with the scope. */
  folder(): string
  /** Values that a later benchmark of the same run needs, by name. */
  readonly found: Map<string, number>
}

/** Something that can be measured. */
export interface Benchmark {
  /** `layer.subject` */
  readonly name: string
  /** One line for `--list`. */
  readonly description: string
  /** Gives each figure when it has it. @throws BenchError */
  run(bench: Bench): AsyncIterable<Figure>
}
