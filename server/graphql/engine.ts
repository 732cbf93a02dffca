import {
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  isAbstractType,
  isObjectType,
} from 'graphql'
import { apiError, type Context } from '../../schema/index.ts'
import type { Log } from '../plugin.ts'
import type { RawVariables } from './cost.ts'
import { Documents, type Operation } from './documents.ts'
import type { Limits } from './limits.ts'
import { type EventPosition, Reader, ResultStream, Subscriptions } from './live/index.ts'
import { publicError, withCode } from './mask.ts'
import type { RequestContext } from './request-context.ts'

/** What a client asks, in any transport. */
export interface GraphqlParams {
  readonly query: string
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
}

/** Everything between a transport and the resolvers: the same checks, limits, masking and shape for all of them. */
export class Engine {
  readonly documents: Documents
  readonly schema: GraphQLSchema
  readonly #options: EngineOptions
  /** The subscriptions. */
  readonly live: Subscriptions
  readonly #onRevoked = new Set<(access: string) => void>()

  constructor(options: EngineOptions) {
    this.#options = options
    this.schema = options.schema
    guardTypeResolvers(options.schema, options.log)
    this.documents = new Documents(options.schema, options.limits)
    this.live = new Subscriptions({
      schema: options.schema,
      most: options.limits.subscriptions,
      ...(options.events === undefined ? {} : { events: options.events }),
      explain: (error, { requestId }) => publicError(error, requestId, options.log),
      finish: (result, context) => this.#finish(result, context),
    })
  }

  get openStreams(): number {
    return this.live.size
  }

  /** Finds the operation to run and checks its cost. */
  resolve(params: GraphqlParams): Operation | readonly GraphQLError[] {
    const prepared = this.documents.prepare(params.query)
    if (!prepared.ok) return prepared.errors
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

  /** Runs a query or mutation. Never rejects. */
  async run(
    operation: Operation,
    variables: RawVariables | null | undefined,
    context: RequestContext,
  ): Promise<ExecutionResult> {
    return this.#settle(operation, variables ?? {}, context, operation.compiled())
  }

  /** The same without the compiler. */
  async interpret(
    operation: Operation,
    variables: RawVariables | null | undefined,
    context: RequestContext,
  ): Promise<ExecutionResult> {
    return this.#settle(operation, variables ?? {}, context, undefined)
  }

  async #settle(
    operation: Operation,
    variables: RawVariables,
    context: RequestContext,
    compiled: ReturnType<Operation['compiled']>,
  ): Promise<ExecutionResult> {
    try {
      for (const before of this.#options.before ?? []) await before(context)
      const result = await (compiled?.(context, variables) ?? this.#execute(operation, variables, context))
      // Without data, the variables did not fit. graphql-js has the last word, and the wording.
      if (compiled !== undefined && !('data' in result))
        return this.#finish(await this.#execute(operation, variables, context), context)
      return this.#finish(result, context)
    } catch (error) {
      return this.#finish({ errors: [publicError(error, context.requestId, this.#options.log)] }, context)
    }
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
  async subscribe(
    operation: Operation,
    variables: RawVariables | null | undefined,
    context: RequestContext,
  ): Promise<ExecutionResult | ResultStream> {
    const opened = await this.live.open(operation, variables ?? {}, context)
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

  #finish(result: ExecutionResult, context: RequestContext): ExecutionResult {
    const { requestId, responseExtensions } = context
    const finished: ExecutionResult = 'data' in result ? { data: result.data ?? null } : {}
    if (result.errors !== undefined && result.errors.length > 0) {
      // Without data and path, graphql-js refused the request itself: the variables, not a resolver.
      const explain = (error: GraphQLError) =>
        'data' in result || error.path !== undefined
          ? publicError(error, requestId, this.#options.log)
          : withCode(error, 'BAD_USER_INPUT')
      finished.errors = result.errors.map(explain)
    }
    if (Object.keys(responseExtensions).length > 0) finished.extensions = responseExtensions
    return finished
  }
}

/**
 * Type resolvers must answer at once: compiled operations cannot wait for them. One that throws, or gives a promise, is
 * the same error for both executors, and the log says whose it is.
 */
function guardTypeResolvers(schema: GraphQLSchema, log: Log): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue
    if (isAbstractType(type) && type.resolveType != null) {
      const { resolveType } = type
      type.resolveType = (value, context, info, abstract) => {
        const found = resolveType(value, context, info, abstract)
        return typeof found === 'object' && found !== null ? notAtOnce(type.name, 'resolveType', log) : found
      }
    }
    if (isObjectType(type) && type.isTypeOf != null) {
      const { isTypeOf } = type
      type.isTypeOf = (value, context, info) => {
        const is = isTypeOf(value, context, info)
        return typeof is === 'boolean' ? is : notAtOnce(type.name, 'isTypeOf', log) === undefined && false
      }
    }
  }
}

function notAtOnce(type: string, method: string, log: Log): undefined {
  log.error({ type, method }, 'a type resolver gave a promise; it must answer at once')
  return undefined
}
