import type { ExecutionResult } from 'graphql'
import { Engine, type GraphqlParams } from '../graphql/engine.ts'
import { DEFAULT_LIMITS, type Limits } from '../graphql/limits.ts'
import { RequestContext } from '../graphql/request-context.ts'
import type { Node } from '../host/node.ts'
import type { Log } from '../plugin/host.ts'
import { TestKitError } from './errors.ts'
import { callerOf, type TestCaller } from './test-caller.ts'
import { type TestSubscription, testSubscription } from './test-subscription.ts'

export interface TestRequestOptions {
  /** Who asks. */
  readonly as?: TestCaller
  /** The request's `extensions`. */
  readonly extensions?: Readonly<Record<string, unknown>>
  /** Which operation of several to run. */
  readonly operationName?: string
}

export type Variables = Readonly<Record<string, unknown>>

/** Asks a node as a client would, without a network: the same limits, scopes, masking and extensions. */
export class TestRequests {
  readonly #engine: Engine

  constructor(node: Node, log: Log, limits: Limits = DEFAULT_LIMITS) {
    this.#engine = new Engine({ schema: node.schema, limits, log, before: node.before })
  }

  /** A query or mutation. Never rejects: what is refused is in `errors`. */
  async execute(query: string, variables: Variables, options: TestRequestOptions): Promise<ExecutionResult> {
    const { params, context } = asked(query, variables, options)
    const operation = this.#engine.resolve(params)
    if (!('node' in operation)) return { errors: operation }
    if (operation.node.operation === 'subscription')
      throw new TestKitError('NOT_A_SUBSCRIPTION', 'this is a subscription: use host.subscribe')
    return await this.#engine.run(operation, variables, context)
  }

  /** A subscription. @throws TestKitError if it is refused, with the errors */
  async subscribe(query: string, variables: Variables, options: TestRequestOptions): Promise<TestSubscription> {
    const { params, context } = asked(query, variables, options)
    const operation = this.#engine.resolve(params)
    if (!('node' in operation)) throw refused(operation)
    if (operation.node.operation !== 'subscription')
      throw new TestKitError('NOT_A_SUBSCRIPTION', 'this is no subscription: use host.execute')
    const stream = await this.#engine.subscribe(operation, variables, context)
    if (!(Symbol.asyncIterator in stream)) throw refused(stream.errors)
    return testSubscription(stream)
  }

  /** Ends all subscriptions as a node does that shuts down. */
  drain(): void {
    this.#engine.drain()
  }
}

function asked(query: string, variables: Variables, { as, extensions = {}, operationName }: TestRequestOptions) {
  const params: GraphqlParams = {
    query,
    variables,
    extensions,
    ...(operationName === undefined ? {} : { operationName }),
  }
  return { params, context: new RequestContext(extensions, callerOf(as)) }
}

const refused = (errors: unknown): TestKitError =>
  new TestKitError('SUBSCRIPTION_ENDED', `the subscription was refused: ${JSON.stringify(errors)}`)
