/** What one client may ask for. Readable at `network { limits }`. */
export interface Limits {
  /** Nesting of fields. */
  readonly depth: number
  /** Lexical tokens of a document. */
  readonly tokens: number
  /** Aliases in a document. */
  readonly aliases: number
  /** Directives in a document. */
  readonly directives: number
  /** Estimated size of an answer: fields, times the sizes of the lists that they are in. */
  readonly cost: number
  /** Characters of a document. */
  readonly queryLength: number
  /** Bytes of a request, with all its variables: a batch of transactions must fit. */
  readonly bodyBytes: number
  /** Seconds until an unfinished request is answered with TIMEOUT. */
  readonly timeoutSeconds: number
  /** Operations that one WebSocket may have open. */
  readonly subscriptionsPerConnection: number
  /** Subscriptions that the node serves at a time. */
  readonly subscriptions: number
  /** WebSockets that the node keeps open at a time. */
  readonly connections: number
}

export const DEFAULT_LIMITS: Limits = {
  depth: 20,
  tokens: 2_000,
  aliases: 50,
  directives: 50,
  cost: 25_000,
  queryLength: 64 * 1024,
  bodyBytes: 8 << 20,
  timeoutSeconds: 30,
  subscriptionsPerConnection: 100,
  subscriptions: 10_000,
  connections: 10_000,
}
