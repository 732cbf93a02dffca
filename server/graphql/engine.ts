import { type ExecutionResult, execute, type GraphQLError, type GraphQLSchema } from 'graphql'
import { apiError, type Context } from '../../schema/index.ts'
import { within } from '../db/work.ts'
import type { Log } from '../plugin.ts'
import type { Tracing } from '../tracing/index.ts'
import type { RawVariables } from './cost.ts'
import { Documents, type Operation } from './documents.ts'
import type { Limits } from './limits.ts'
import { type EventPosition, Reader, ResultStream, Subscriptions } from './live/index.ts'
import { publicError, withCode } from './mask.ts'
import type { OperationMeter } from './operation-meter.ts'
import { ownerAt } from './owner-at.ts'
import { PersistedDocuments } from './persisted.ts'
import type { RequestContext } from './request-context.ts'
import { traced } from './traced.ts'
import type { TrustedDocuments } from './trusted-documents.ts'
import { guardTypeResolvers } from './type-resolvers.ts'
import { usageOf } from './usage.ts'

/** What a client asks, in any transport. */
export interface GraphqlParams {
  /** Absent if the document is named instead: by `documentId`, or by `extensions.persistedQuery`. */
  readonly query?: string | undefined
  /** Of a trusted document. */
  readonly documentId?: string | undefined
  readonly variables?: RawVariables | null | undefined
  readonly operationName?: string | null | undefined
  readonly extensions?: Readonly<Record<string, unknown>> | null | undefined
}

/** Runs before each query and mutation; a coded error from it is the request's answer. */
export type BeforeRequest = (context: Context) => Promise<void> | void

export interface EngineOptions {
  readonly schema: GraphQLSchema
  readonly limits: Limits
  readonly log: Log
  readonly before?: readonly BeforeRequest[]
  /** The stream that subscriptions are resumed in; absent where there is none. */
  readonly events?: EventPosition
  /** Told about each operation. */
  readonly meter?: OperationMeter | undefined
  /** Where traces of operations go; nowhere if absent. */
  readonly tracing?: Tracing | undefined
  /** Documents that the operator vouches for. */
  readonly trusted?: TrustedDocuments
}

/** Everything between a transport and the resolvers: the same checks, limits, masking and shape for all of them. */
export class Engine {
  readonly documents: Documents
  readonly schema: GraphQLSchema
  readonly #options: EngineOptions
  readonly #persisted: PersistedDocuments
  #running = 0
  /** The subscriptions. */
  readonly live: Subscriptions
  readonly #onRevoked = new Set<(access: string) => void>()

  constructor(options: EngineOptions) {
    this.#options = options
    this.schema = options.schema
    guardTypeResolvers(options.schema, options.log)
    this.documents = new Documents(options.schema, options.limits)
    this.#persisted = new PersistedDocuments(options.trusted)
    this.live = new Subscriptions({
      schema: options.schema,
      most: options.limits.subscriptions,
      ...(options.events === undefined ? {} : { events: options.events }),
      explain: (error, context) => this.#explain(error, context),
      finish: (result, context) => this.#finish(result, context),
    })
  }

  /** How many queries and mutations are being answered. */
  get running(): number {
    return this.#running
  }

  /** Finds the operation to run and checks its cost. */
  resolve(params: GraphqlParams): Operation | readonly GraphQLError[] {
    const source = this.#persisted.find(params)
    if (!source.ok) return source.errors
    const prepared = this.documents.prepare(source.value)
    if (!prepared.ok) return prepared.errors
    this.#persisted.keep(params)
    const selected = this.documents.select(prepared.value, params.operationName)
    if (!selected.ok) return selected.errors
    const { cost } = this.#options.limits
    const actual = selected.value.cost(params.variables ?? {})
    if (actual <= cost) return selected.value
    return [
      apiError(
        'QUERY_TOO_COSTLY',
        `The estimated cost is ${actual}; ${cost} is allowed. Select fewer fields, or smaller pages.`,
        { limit: cost, actual },
      ),
    ]
  }

  /** Runs a query or mutation. Never throws or rejects; answers at once if nothing had to be waited for. */
  answer(
    operation: Operation,
    variables: RawVariables | null | undefined,
    context: RequestContext,
  ): ExecutionResult | Promise<ExecutionResult> {
    return this.#start(operation, variables ?? {}, context, operation.compiled())
  }

  /** The same, always later. */
  async run(
    operation: Operation,
    variables: RawVariables | null | undefined,
    context: RequestContext,
  ): Promise<ExecutionResult> {
    return this.#start(operation, variables ?? {}, context, operation.compiled())
  }

  /** The same without the compiler. */
  async interpret(
    operation: Operation,
    variables: RawVariables | null | undefined,
    context: RequestContext,
  ): Promise<ExecutionResult> {
    return this.#start(operation, variables ?? {}, context, undefined)
  }

  #start(
    operation: Operation,
    variables: RawVariables,
    context: RequestContext,
    compiled: ReturnType<Operation['compiled']>,
  ): ExecutionResult | Promise<ExecutionResult> {
    const { tracing } = this.#options
    return tracing === undefined
      ? this.#settle(operation, variables, context, compiled)
      : traced(tracing, operation, context, async () => this.#settle(operation, variables, context, compiled))
  }

  #settle(
    operation: Operation,
    variables: RawVariables,
    context: RequestContext,
    compiled: ReturnType<Operation['compiled']>,
  ): ExecutionResult | Promise<ExecutionResult> {
    const { requests } = this.#options.limits
    if (this.#running >= requests) {
      const error = apiError('OVERLOADED', 'The node answers as many requests as it can. Try again in some seconds.', {
        limit: requests,
      })
      return this.#counted(operation, this.#finish({ errors: [error] }, context))
    }
    this.#running++
    context.document = operation.document
    const settled = (result: ExecutionResult): ExecutionResult => {
      this.#running--
      if (context.wantsUsage) context.responseExtensions.usage = usageOf(operation.cost(variables), context)
      return this.#counted(operation, this.#finish(result, context))
    }
    const failed = (error: unknown): ExecutionResult => settled({ errors: [this.#explain(error, context)] })
    let result: ExecutionResult | Promise<ExecutionResult>
    try {
      result = within(context, () => this.#answer(operation, variables, context, compiled))
    } catch (error) {
      return failed(error)
    }
    return isPromise(result) ? result.then(settled, failed) : settled(result)
  }

  #counted(operation: Operation, result: ExecutionResult): ExecutionResult {
    this.#options.meter?.(operation.node.operation, result)
    return result
  }

  /** Nothing is put off that need not be: most requests are answered in the turn of the loop in which they came. */
  #answer(
    operation: Operation,
    variables: RawVariables,
    context: RequestContext,
    compiled: ReturnType<Operation['compiled']>,
  ): ExecutionResult | Promise<ExecutionResult> {
    const ready = this.#prepare(context)
    if (ready !== undefined) return ready.then(() => this.#carryOut(operation, variables, context, compiled))
    return this.#carryOut(operation, variables, context, compiled)
  }

  /** Lets plugins have their say, one after the other. */
  #prepare(context: RequestContext): Promise<void> | undefined {
    const { before = [] } = this.#options
    for (const [index, hook] of before.entries()) {
      const waiting = hook(context)
      if (waiting === undefined) continue
      return before.slice(index + 1).reduce((last, next) => last.then(() => next(context)), waiting)
    }
    return undefined
  }

  #carryOut(
    operation: Operation,
    variables: RawVariables,
    context: RequestContext,
    compiled: ReturnType<Operation['compiled']>,
  ): ExecutionResult | Promise<ExecutionResult> {
    if (compiled === undefined) return this.#execute(operation, variables, context)
    // Without data, the variables did not fit. graphql-js has the last word, and the wording.
    const checked = (result: ExecutionResult) =>
      'data' in result ? result : this.#execute(operation, variables, context)
    const result = compiled(context, variables)
    return isPromise(result) ? result.then(checked) : checked(result)
  }

  #execute(
    operation: Operation,
    variables: RawVariables,
    context: RequestContext,
  ): ExecutionResult | Promise<ExecutionResult> {
    return execute({
      schema: this.schema,
      document: operation.document,
      operationName: operation.name,
      variableValues: variables,
      contextValue: context,
    })
  }

  /** Starts a subscription; errors before the first event are a plain result. Never rejects. */
  async open(
    operation: Operation,
    variables: RawVariables | null | undefined,
    context: RequestContext,
  ): Promise<ExecutionResult | Reader> {
    context.document = operation.document
    const given = operation.declared(variables ?? {})
    const { subscriptionBytes: most } = this.#options.limits
    const bytes = Buffer.byteLength(JSON.stringify([given, context.requestExtensions]))
    const opened = bytes > most ? { errors: [tooLarge(most, bytes)] } : await this.live.open(operation, given, context)
    this.#counted(operation, opened instanceof Reader ? {} : opened)
    return opened
  }

  /** The same, as results one after the other. */
  async subscribe(
    operation: Operation,
    variables: RawVariables | null | undefined,
    context: RequestContext,
  ): Promise<ExecutionResult | ResultStream> {
    const opened = await this.open(operation, variables, context)
    return opened instanceof Reader ? new ResultStream(opened) : opened
  }

  /**
   * Ends the subscriptions that were opened with an access, and the WebSockets that came with it: its key was revoked,
   * or its session is over.
   */
  endStreams(access: string): void {
    this.live.endAll(access, apiError('UNAUTHENTICATED', 'The key or session is no longer good. Sign in again.'))
    for (const listener of this.#onRevoked) listener(access)
  }

  /** Adds what is called with each access that ends. */
  onRevoked(listener: (access: string) => void): void {
    this.#onRevoked.add(listener)
  }

  /** Ends all subscriptions with DRAINING and where to resume, and takes no new ones. */
  drain(): Promise<void> {
    return this.live.drain()
  }

  #explain(error: unknown, { requestId, document }: RequestContext): GraphQLError {
    return publicError(error, requestId, this.#options.log, (located) => ownerAt(this.schema, document, located))
  }

  #finish(result: ExecutionResult, context: RequestContext): ExecutionResult {
    const { responseExtensions } = context
    const finished: ExecutionResult = 'data' in result ? { data: result.data ?? null } : {}
    if (result.errors !== undefined && result.errors.length > 0) {
      // Without data and path, graphql-js refused the request itself: the variables, not a resolver.
      const explain = (error: GraphQLError) =>
        'data' in result || error.path !== undefined ? this.#explain(error, context) : withCode(error, 'BAD_USER_INPUT')
      finished.errors = result.errors.map(explain)
    }
    if (Object.keys(responseExtensions).length > 0) finished.extensions = responseExtensions
    return finished
  }
}

const tooLarge = (limit: number, actual: number): GraphQLError =>
  apiError(
    'VARIABLES_TOO_LARGE',
    `The variables and extensions of this subscription are ${actual} bytes; ${limit} are allowed, as they are kept while it is open.`,
    { limit, actual },
  )

const isPromise = <T extends object>(value: T | Promise<T>): value is Promise<T> => 'then' in value
