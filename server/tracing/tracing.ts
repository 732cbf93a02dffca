/** What is told about a piece of work. Values are short and few; never a secret, a variable or an address. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

/** A piece of work that is being traced. */
export interface TracedSpan {
  /** Adds what is known only later. */
  set(attributes: SpanAttributes): void
  /** Names it better than could be done when it began. */
  rename(name: string): void
  /** Says that it went wrong. */
  fail(reason: string): void
}

export interface SpanOptions {
  /** `server` for what was asked from outside; `internal` if absent. */
  readonly kind?: 'server' | 'consumer' | 'internal'
  readonly attributes?: SpanAttributes
  /** The span that it is part of; the one that the caller runs in if absent. */
  readonly parent?: TracedSpan | undefined
  /** The `traceparent` header that a client sent: the span becomes part of its trace. */
  readonly traceparent?: string | undefined
}

/**
 * Traces of this node's work. There is one only if the operator configured where traces go; everybody else holds
 * `undefined`, so that tracing costs nothing when it is off.
 */
export interface Tracing {
  /**
   * Runs work as a span, inside the span that the caller runs in. It ends when the work's promise does; what the work
   * throws marks it as failed and goes on to the caller.
   */
  run<T>(name: string, options: SpanOptions, work: (span: TracedSpan) => Promise<T>): Promise<T>
  /** Sends what is left, within some seconds, and ends. */
  stop(): Promise<void>
}

/** Where traces go. */
export interface TracingConfig {
  /** Of an OpenTelemetry collector that speaks OTLP over HTTP, like `http://localhost:4318`. */
  readonly endpoint: string
  /** Sent with each batch, for example an authorization. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The share of traces that begin here which is kept, 0 to 1; 1 if absent. A client's own decision goes first. */
  readonly sampleRatio?: number | undefined
  /** What traces call this node; `deaios` if absent. */
  readonly serviceName?: string | undefined
}
