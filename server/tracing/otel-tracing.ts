import { type Context, context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { messageOf } from '../db/errors.ts'
import { SERVER_VERSION } from '../version.ts'
import { AsyncContextManager } from './context-manager.ts'
import { parseTraceparent } from './traceparent.ts'
import type { SpanAttributes, SpanOptions, TracedSpan, Tracing, TracingConfig } from './tracing.ts'

/** Spans that wait to be sent; with more, the new ones are dropped. */
const MAX_WAITING = 4096
const EXPORT_MS = 10_000
/** How long the end of the node waits for the last ones. */
const STOP_MS = 3_000

const KINDS = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER, internal: SpanKind.INTERNAL } as const

/**
 * Begins to send traces to a collector, in batches. While it does, `@opentelemetry/api` is set up for the whole
 * process: spans that plugins make with it become part of the node's.
 *
 * @param processor what takes the spans instead of a collector, in tests
 */
export function startTracing(config: TracingConfig, processor?: SpanProcessor): Tracing {
  const { sampleRatio = 1, serviceName = 'deaios' } = config
  const contexts = new AsyncContextManager()
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': SERVER_VERSION }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanLimits: { attributeValueLengthLimit: 256, attributeCountLimit: 32, eventCountLimit: 16 },
    spanProcessors: [processor ?? batches(config)],
  })
  context.setGlobalContextManager(contexts)
  trace.setGlobalTracerProvider(provider)
  const tracer = provider.getTracer('deaios', SERVER_VERSION)

  return {
    run<T>(
      name: string,
      { kind = 'internal', attributes = {}, parent, traceparent }: SpanOptions,
      work: (span: TracedSpan) => Promise<T>,
    ): Promise<T> {
      const remote = parseTraceparent(traceparent)
      const here = parent instanceof OtelSpan ? parent.context : contexts.active()
      const around = remote === undefined ? here : trace.setSpanContext(here, remote)
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes: { ...attributes } }, around)
      const inside = trace.setSpan(around, span)
      return contexts.with(inside, () => follow(span, inside, work))
    },
    async stop() {
      trace.disable()
      context.disable()
      const timer = Promise.withResolvers<void>()
      const late = setTimeout(timer.resolve, STOP_MS)
      await Promise.race([provider.shutdown(), timer.promise]).finally(() => clearTimeout(late))
    },
  }
}

class OtelSpan implements TracedSpan {
  readonly context: Context
  readonly #span: Span

  constructor(span: Span, inside: Context) {
    this.#span = span
    this.context = inside
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes({ ...attributes })
  }

  rename(name: string): void {
    this.#span.updateName(name)
  }

  fail(message: string): void {
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message })
  }
}

async function follow<T>(span: Span, inside: Context, work: (span: TracedSpan) => Promise<T>): Promise<T> {
  const told = new OtelSpan(span, inside)
  try {
    return await work(told)
  } catch (error) {
    told.fail(messageOf(error))
    throw error
  } finally {
    span.end()
  }
}

function batches({ endpoint, headers }: TracingConfig): SpanProcessor {
  const url = endpoint.endsWith('/v1/traces') ? endpoint : `${endpoint.replace(/\/+$/, '')}/v1/traces`
  return new BatchSpanProcessor({
    exporter: new OTLPTraceExporter({ url, ...(headers === undefined ? {} : { headers: { ...headers } }) }),
    maxQueueSize: MAX_WAITING,
    exportTimeoutMillis: EXPORT_MS,
  })
}
