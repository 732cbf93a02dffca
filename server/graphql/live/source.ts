import {
  createSourceEventStream,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLSchema,
  type ValidatedSubscriptionArgs,
  validateSubscriptionArgs,
} from 'graphql'
import { within } from '../../db/work.ts'
import type { RawVariables } from '../cost.ts'
import type { Operation } from '../documents.ts'
import type { RequestContext } from '../request-context.ts'
import type { Source } from './broadcast.ts'
import { EventRun } from './event-run.ts'
import { Message } from './message.ts'

export interface SourceParts {
  readonly schema: GraphQLSchema
  readonly operation: Operation
  readonly variables: RawVariables
  /** Of the source, not of a client; aborted when the source is closed. */
  readonly context: RequestContext
  /** Whether results tell where to resume: the client has asked for it. */
  readonly tellsCursor: boolean
  /** Turns what the source threw into what clients may know. */
  readonly explain: (error: unknown) => GraphQLError
  /** Applied to each result. */
  readonly finish: (result: ExecutionResult) => ExecutionResult
}

/** Starts what a subscription reads; what is wrong with the request is a plain result. May reject. */
export async function openSource(parts: SourceParts): Promise<ExecutionResult | EventSource> {
  const { schema, operation, variables, context, finish } = parts
  const args = validateSubscriptionArgs({
    schema,
    document: operation.document,
    operationName: operation.name,
    variableValues: variables,
    contextValue: context,
  })
  if (!('schema' in args)) return finish({ errors: args })
  const events = await within(context, () => createSourceEventStream(args))
  if (!(Symbol.asyncIterator in events)) return finish(events)
  return new EventSource(parts, args, events[Symbol.asyncIterator]())
}

/** Runs the operation on each event of its field. */
export class EventSource implements Source {
  readonly #parts: SourceParts
  readonly #run: EventRun
  readonly #events: AsyncIterator<unknown>
  #isOver = false

  constructor(parts: SourceParts, args: ValidatedSubscriptionArgs, events: AsyncIterator<unknown>) {
    this.#parts = parts
    this.#run = new EventRun(args, parts)
    this.#events = events
  }

  /** What resolvers and the source ask of the database belongs to the subscription, and ends with it. */
  next(): Promise<Message | undefined> {
    return within(this.#parts.context, () => this.#next())
  }

  async #next(): Promise<Message | undefined> {
    if (this.#isOver) return undefined
    const { finish, explain, tellsCursor } = this.#parts
    try {
      const event = await this.#events.next()
      if (event.done === true) {
        this.#isOver = true
        return undefined
      }
      const cursor = cursorOf(event.value)
      const result = finish(await this.#run.run(event.value))
      return new Message(tellsCursor ? withCursor(result, cursor) : result, cursor)
    } catch (error) {
      this.#isOver = true
      return new Message({ data: null, errors: [explain(error)] }, undefined)
    }
  }

  close(): void {
    this.#isOver = true
    const { context, explain } = this.#parts
    context.abort('the subscription ended')
    // A generator that waits for something takes a `return` only when that comes; its signal has been aborted.
    Promise.resolve(this.#events.return?.()).catch(explain)
  }
}

/** Clients that resume by themselves ask for cursors by `extensions: { resume: true }`, so that others pay nothing. */
export const asksForCursor = ({ resume }: Readonly<Record<string, unknown>>): boolean => resume === true

export const withCursor = (result: ExecutionResult, cursor: string | undefined): ExecutionResult =>
  cursor === undefined ? result : { ...result, extensions: { ...result.extensions, cursor } }

/** An event that can be resumed from says where it is, like an EventRecord. */
function cursorOf(event: unknown): string | undefined {
  if (typeof event !== 'object' || event === null || !('cursor' in event)) return undefined
  return typeof event.cursor === 'string' ? event.cursor : undefined
}
