import { z } from 'zod'

/** What clients may ask for. Readable at `network { limits }`, and to be set by the operator as `limits`. */
export interface Limits {
  /** Nesting of fields. */
  readonly depth: number
  /** Lexical tokens of a document. */
  readonly tokens: number
  /** Aliases in a document. */
  readonly aliases: number
  /** Directives in a document. */
  readonly directives: number
  /** Uses of fragments in a document. */
  readonly fragmentSpreads: number
  /** Fields of one name (or alias) in one selection set. */
  readonly repeatedFields: number
  /** Estimated size of an answer: fields, times the sizes of the lists that they are in. */
  readonly cost: number
  /** Characters of a document. */
  readonly queryLength: number
  /** Bytes of a request, with all its variables: a batch of transactions must fit. */
  readonly bodyBytes: number
  /** Bytes of a WebSocket message of somebody without a key or sign-in; others may send `bodyBytes`. */
  readonly messageBytes: number
  /** Bytes of the variables and extensions of a subscription, which are kept as long as it is open. */
  readonly subscriptionBytes: number
  /** Bytes of all bodies and messages that the node is receiving at a time. */
  readonly bodiesBytes: number
  /** Bytes of a request's headers. */
  readonly headerBytes: number
  /** Seconds that a request may take to arrive, and then until it is answered with TIMEOUT. */
  readonly timeoutSeconds: number
  /** Seconds that a client may take to read an answer; streams are open for longer. */
  readonly answerSeconds: number
  /** Queries and mutations that the node answers at a time. */
  readonly requests: number
  /** SQL statements of requests that may wait for a connection, for each plugin. */
  readonly waitingStatements: number
  /** Operations that one WebSocket may have open. */
  readonly subscriptionsPerConnection: number
  /** Subscriptions that the node serves at a time. */
  readonly subscriptions: number
  /** WebSockets that the node keeps open at a time, and as many connections besides. */
  readonly connections: number
  /** Requests a second of everybody without a key or sign-in from one address (other than this machine's). */
  readonly requestsPerSecond: number
  /** Such requests at once. */
  readonly requestsAtOnce: number
  /** Requests a second of an API key that was made without a rate of its own, and the most that its owner can give. */
  readonly keyRequestsPerSecond: number
  /** Such requests at once. */
  readonly keyRequestsAtOnce: number
}

export const DEFAULT_LIMITS: Limits = {
  depth: 20,
  tokens: 1_000,
  aliases: 50,
  directives: 50,
  fragmentSpreads: 100,
  repeatedFields: 20,
  cost: 25_000,
  queryLength: 64 * 1024,
  bodyBytes: 8 << 20,
  messageBytes: 1 << 20,
  subscriptionBytes: 64 << 10,
  bodiesBytes: 256 << 20,
  headerBytes: 16 << 10,
  timeoutSeconds: 30,
  answerSeconds: 60,
  requests: 10_000,
  waitingStatements: 5_000,
  subscriptionsPerConnection: 100,
  subscriptions: 10_000,
  connections: 10_000,
  requestsPerSecond: 100,
  requestsAtOnce: 500,
  keyRequestsPerSecond: 1_000,
  keyRequestsAtOnce: 2_000,
}

/** What GraphQL's Int holds. */
const count = z.int().min(1).max(2_147_483_647).optional()
const names = Object.keys(DEFAULT_LIMITS)

/** Limits as an operator writes them: any of them, each above 0. */
export type LimitsConfig = { readonly [Name in keyof Limits]?: number | undefined }

export const limitsConfig: z.ZodType<LimitsConfig> = z.strictObject({
  ...Object.fromEntries(names.map((name) => [name, count])),
  timeoutSeconds: z.number().positive().max(3600).optional(),
})

/** The limits with what the operator has set. */
export function limitsOf(config: LimitsConfig = {}): Limits {
  const set = Object.entries(config).filter(([, value]) => value !== undefined)
  return { ...DEFAULT_LIMITS, ...Object.fromEntries(set) }
}
