import {
  type ExecutionResult,
  executeSubscriptionEvent,
  type GraphQLSchema,
  type ValidatedSubscriptionArgs,
} from 'graphql'
import type { RawVariables } from '../cost.ts'
import type { Operation } from '../documents.ts'
import { type CompiledRun, compile } from '../jit.ts'
import type { RequestContext } from '../request-context.ts'

/** Events after which an operation is worth compiling. */
const WORTH_IT = 50
/** Compiling may take one in so many milliseconds of the node's time: many operations may get worth it at once. */
const SHARE = 4

const compiled = new WeakMap<Operation, { readonly run: CompiledRun | undefined }>()
let mayCompileAt = 0

/** Executes one operation on each event of its field: by the interpreter first, compiled when there are many events. */
export class EventRun {
  readonly #schema: GraphQLSchema
  readonly #operation: Operation
  readonly #variables: RawVariables
  readonly #context: RequestContext
  readonly #args: ValidatedSubscriptionArgs
  #events = 0

  constructor(
    args: ValidatedSubscriptionArgs,
    parts: { schema: GraphQLSchema; operation: Operation; variables: RawVariables; context: RequestContext },
  ) {
    this.#args = args
    this.#schema = parts.schema
    this.#operation = parts.operation
    this.#variables = parts.variables
    this.#context = parts.context
  }

  async run(event: unknown): Promise<ExecutionResult> {
    const run = ++this.#events > WORTH_IT ? this.#compiled() : undefined
    if (run !== undefined) {
      const result = await run(this.#context, this.#variables, event)
      // Without data, the compiled operation would not take the variables. The interpreter has the last word.
      if ('data' in result) return result
    }
    return executeSubscriptionEvent({ ...this.#args, rootValue: event })
  }

  #compiled(): CompiledRun | undefined {
    const known = compiled.get(this.#operation)
    if (known !== undefined) return known.run
    const begun = performance.now()
    if (begun < mayCompileAt) return undefined
    const run = compile(this.#schema, this.#operation.document, this.#operation.node)
    compiled.set(this.#operation, { run })
    const end = performance.now()
    mayCompileAt = end + SHARE * (end - begun)
    return run
  }
}
