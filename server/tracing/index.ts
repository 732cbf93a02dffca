/** Traces of the node's work, where the operator configured them. */
export type { TracedSpan, Tracing, TracingConfig } from './tracing.ts'
