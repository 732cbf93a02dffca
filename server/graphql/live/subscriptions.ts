import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionResult, GraphQLError, GraphQLSchema } from 'graphql'
import { apiError } from '../../../schema/index.ts'
import type { RawVariables } from '../cost.ts'
import type { Operation } from '../documents.ts'
import { RequestContext } from '../request-context.ts'
import { Held, type Holders, Share } from '../share.ts'
import { type Approaching, Broadcast } from './broadcast.ts'
import { type Group, Groups } from './group.ts'
import { Message } from './message.ts'
import { Reader } from './reader.ts'
import { Retained } from './retained.ts'
import { type Plan, planOf } from './sharing.ts'
import { asksForCursor, openSource, withCursor } from './source.ts'

/** The node's stream of events, as far as subscriptions need to know it. */
export interface EventPosition {
  /** The cursor behind which everything is that happens from now on. */
  position(): string
  /** Ends everybody who reads it, each with the cursor to resume from. */
  drain(): void
}

export interface SubscriptionsOptions {
  readonly schema: GraphQLSchema
  /** How many are served at a time. */
  readonly most: number
  /** Absent where there are no events to resume from. */
  readonly events?: EventPosition
  readonly explain: (error: unknown, context: RequestContext) => GraphQLError
  readonly finish: (result: ExecutionResult, context: RequestContext) => ExecutionResult
}

/** What a request is made of when it comes to its source. */
interface Request {
  readonly operation: Operation
  readonly variables: RawVariables
  readonly context: RequestContext
  readonly plan: Plan
  /** Its place among all subscriptions. */
  readonly place: Held
  /** Where the stream of events was when it was asked. */
  readonly asked: string | undefined
}

/** How long streams of events have, in ms, to end by themselves when the node drains. */
const DRAIN_MS = 50
/** How long clients have to take their last result then. */
const TAKE_MS = 1_000

const NOBODY: ReadonlySet<Approaching> = new Set()

/** All subscriptions of the node. Identical ones share one source, one execution and one serialisation of each event. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions
  readonly #readers = new Set<Reader>()
  readonly #groups = new Groups()
  readonly #retained = new Retained()
  readonly #places: Share
  #sources = 0
  #draining = false

  constructor(options: SubscriptionsOptions) {
    this.#options = options
    this.#places = new Share(options.most)
  }

  /** Clients' subscriptions that are open. */
  get size(): number {
    return this.#readers.size
  }

  /** Executions behind them. */
  get sources(): number {
    return this.#sources
  }

  /** Bytes of results kept for readers who are behind. */
  get retainedBytes(): number {
    return this.#retained.bytes
  }

  /** Starts a subscription; errors before the first event are a plain result. Never rejects. */
  async open(
    operation: Operation,
    variables: RawVariables,
    context: RequestContext,
  ): Promise<ExecutionResult | Reader> {
    if (this.#draining) return { errors: [drainingError(undefined)] }
    const { schema, explain } = this.#options
    const place = new Held(this.#places, holdersOf(context))
    if (!place.set(1)) return { errors: [tooMany(this.#places)] }
    try {
      const plan = planOf(schema, operation, variables, context)
      const request: Request = { operation, variables, context, plan, place, asked: this.#options.events?.position() }
      const opened =
        plan.key === undefined ? await this.#openAlone(request) : await this.#openInGroup(request, plan.key)
      if (!(opened instanceof Reader)) place.set(0)
      else if (this.#draining) opened.end(drainingError)
      return opened
    } catch (error) {
      place.set(0)
      return { errors: [explain(error, context)] }
    }
  }

  /** Ends what has been opened with an access, with a last result that tells why. Returns how many there were. */
  endAll(access: string, error: GraphQLError): number {
    const ended = [...this.#readers].filter((reader) => reader.access === access)
    for (const reader of ended) reader.end(() => error)
    return ended.length
  }

  /** Ends all with DRAINING and where to resume, and takes no new ones. Resolves when the clients have taken that. */
  async drain(): Promise<void> {
    this.#draining = true
    this.#options.events?.drain()
    if (this.#readers.size > 0) await this.#untilNone(DRAIN_MS)
    for (const reader of this.#readers) reader.end(drainingError)
    await this.#untilNone(TAKE_MS)
  }

  async #untilNone(ms: number): Promise<void> {
    const end = performance.now() + ms
    while (this.#readers.size > 0 && performance.now() < end) await sleep(2)
  }

  async #openAlone(request: Request): Promise<ExecutionResult | Reader> {
    const own = await this.#broadcast(request, NOBODY, () => undefined)
    if (!(own instanceof Broadcast)) return own
    const reader = this.#reader(request, undefined)
    reader.follow(own)
    return reader
  }

  async #openInGroup(request: Request, key: string): Promise<ExecutionResult | Reader> {
    const { node } = request.operation
    const group = this.#groups.of(node, key)
    const tidy = () => this.#groups.tidy(node, key)
    try {
      return request.plan.after === undefined
        ? await this.#openShared(request, group, tidy)
        : await this.#openBehind(request, group, tidy)
    } finally {
      tidy()
    }
  }

  /** From now on. */
  async #openShared(request: Request, group: Group, tidy: () => void): Promise<ExecutionResult | Reader> {
    for (;;) {
      const shared = group.shared ?? (await this.#share(request, group, tidy))
      if (!(shared instanceof Broadcast)) return shared
      // All who waited for it with us may have left again.
      if (shared.isClosed) continue
      const reader = this.#reader(request, { group, tidy })
      reader.follow(shared)
      return reader
    }
  }

  /** Behind a cursor: from the shared broadcast if that still has it, else alone until both meet. */
  async #openBehind(request: Request, group: Group, tidy: () => void): Promise<ExecutionResult | Reader> {
    const reader = this.#reader(request, { group, tidy })
    if (group.shared !== undefined && reader.followBehind(group.shared)) return reader
    let own: Broadcast | ExecutionResult
    try {
      own = await this.#broadcast(request, NOBODY, () => undefined)
    } catch (error) {
      reader.close()
      throw error
    }
    if (!(own instanceof Broadcast)) {
      reader.close()
      return own
    }
    reader.follow(own)
    group.alone.add(reader)
    if (group.shared !== undefined) reader.approach(group.shared)
    // One that is alone has nobody to share with.
    else if (group.alone.size > 1) this.#shareForAlone(request, group, tidy)
    return reader
  }

  /** Begins to share for readers who go on alone until then, and on their own if it cannot be. */
  #shareForAlone(request: Request, group: Group, tidy: () => void): void {
    this.#share(request, group, tidy).then(
      (shared) => {
        if (shared instanceof Broadcast) shared.endIfUnused()
      },
      (error: unknown) => this.#options.explain(error, request.context),
    )
  }

  /** Begins what a group shares, once for all who ask. */
  async #share(request: Request, group: Group, tidy: () => void): Promise<Broadcast | ExecutionResult> {
    group.starting ??= this.#beginSharing(request, group, tidy).finally(() => {
      group.starting = undefined
    })
    return group.starting
  }

  async #beginSharing(request: Request, group: Group, tidy: () => void): Promise<Broadcast | ExecutionResult> {
    const live = { ...request, variables: request.plan.live }
    const shared = await this.#broadcast(live, group.alone, () => {
      group.shared = undefined
      for (const reader of group.alone) reader.approach(undefined)
      tidy()
    })
    if (!(shared instanceof Broadcast)) return shared
    group.shared = shared
    for (const reader of group.alone) reader.approach(shared)
    if (group.alone.size > 0) shared.start()
    return shared
  }

  /** Opens a source and makes a broadcast of it. */
  async #broadcast(
    { operation, variables, plan, context: { requestExtensions, principal } }: Request,
    approaching: ReadonlySet<Approaching>,
    onEnd: () => void,
  ): Promise<Broadcast | ExecutionResult> {
    const { schema, explain, finish } = this.#options
    // Of the source: the client that asks for it first may leave before the others.
    const context = new RequestContext(requestExtensions, principal)
    context.document = operation.document
    const source = await openSource({
      schema,
      operation,
      variables,
      context,
      tellsCursor: plan.isResumable && asksForCursor(requestExtensions),
      explain: (error) => explain(error, context),
      finish: (result) => finish(result, context),
    })
    if (!('next' in source)) return source
    this.#sources++
    return new Broadcast({
      source,
      approaching,
      retained: this.#retained,
      onEnd: () => {
        this.#sources--
        onEnd()
      },
    })
  }

  #reader(request: Request, membership: { group: Group; tidy: () => void } | undefined): Reader {
    const { plan, place, context, asked } = request
    const start = plan.after ?? (plan.isResumable ? asked : undefined)
    const greets = start !== undefined && asksForCursor(context.requestExtensions)
    const reader = new Reader({
      access: context.principal.access,
      start,
      // Who is cut off before the first event knows where to go on.
      greeting: greets ? new Message(withCursor({ data: null }, start), start) : undefined,
      onShared: () => membership?.group.alone.delete(reader),
      onEnd: () => {
        this.#readers.delete(reader)
        place.set(0)
        if (membership === undefined) return
        membership.group.alone.delete(reader)
        membership.group.shared?.endIfUnused()
        membership.tidy()
      },
    })
    this.#readers.add(reader)
    return reader
  }
}

const drainingError = (cursor: string | undefined): GraphQLError =>
  cursor === undefined
    ? apiError('DRAINING', 'The node is shutting down. Connect again.')
    : apiError('DRAINING', 'The node is shutting down. Connect again, and resume after the cursor.', { cursor })

/** An address has a part of all places, and so has a key or session, wherever it comes from. */
const holdersOf = ({ holders, principal: { kind, access } }: RequestContext): Holders =>
  holders.length === 0 || kind === 'anonymous' ? holders : [...holders, `access ${access}`]

const tooMany = ({ most, each }: Share): GraphQLError =>
  apiError(
    'TOO_MANY_SUBSCRIPTIONS',
    `The node serves as many subscriptions as it can, or as many of this client: ${each} of ${most}. End some, or try again later.`,
    { limit: most, each },
  )
