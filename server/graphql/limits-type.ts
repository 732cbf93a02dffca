import { type Builder, DEFAULT_PAGE, LimitsType, MAX_PAGE } from '../../schema/index.ts'
import type { Limits } from './limits.ts'

/** What each limit is about: a limit without a line here does not compile. */
const described: Readonly<Record<Exclude<keyof Limits, 'timeoutSeconds'>, string>> = {
  depth: 'Nesting of fields.',
  tokens: 'Lexical tokens of a document.',
  aliases: 'Aliases in a document.',
  directives: 'Directives in a document.',
  fragmentSpreads: 'Uses of fragments in a document.',
  repeatedFields: 'Fields of one name (or alias) in one selection set.',
  cost: 'Fields, times the sizes of the lists that they are in.',
  queryLength: 'Characters of a document.',
  bodyBytes: 'Bytes of a request with all its variables.',
  messageBytes:
    'Bytes of a WebSocket message of somebody without a key or sign-in, 64 KiB until it is let in; others may send bodyBytes.',
  subscriptionBytes: 'Bytes of the variables and extensions of a subscription, as JSON.',
  bodiesBytes:
    'Bytes of all bodies and messages that the node is receiving at a time; an address gets an eighth of that.',
  headerBytes: "Bytes of a request's headers.",
  answerSeconds: 'Seconds that a client may take to read an answer; streams are open for longer.',
  requests: 'Queries and mutations that the node answers at a time.',
  waitingStatements: 'SQL statements of requests that may wait for a connection, for each plugin.',
  subscriptionsPerConnection: 'Operations that one WebSocket may have open.',
  subscriptions: 'Of all clients together; an address, and a key, gets an eighth of that.',
  connections: 'WebSockets that the node keeps open at a time; an address gets an eighth of that.',
  requestsPerSecond: 'Of everybody without a key or sign-in from one address; RATE_LIMITED says when to come again.',
  requestsAtOnce: 'Of the same.',
  keyRequestsPerSecond: 'Of an API key that has no rate of its own.',
  keyRequestsAtOnce: 'Of the same.',
}

/** Defines what `network { limits }` gives: every limit that the node enforces. Plugins add their own by its token. */
export function defineLimits(builder: Builder) {
  const limits = builder.refOf(LimitsType)
  builder.objectType(limits, {
    description: 'What clients may ask for.',
    fields: (t) => ({
      pageSize: t.int({ nullable: false, description: 'Items of a page.', resolve: () => MAX_PAGE }),
      defaultPageSize: t.int({
        nullable: false,
        description: 'Items of a page if the client does not say.',
        resolve: () => DEFAULT_PAGE,
      }),
      timeoutSeconds: t.float({
        nullable: false,
        description: 'Seconds that a request may take to arrive, and then until it is answered with TIMEOUT.',
        resolve: (values) => values.timeoutSeconds ?? 0,
      }),
    }),
  })
  for (const [name, description] of Object.entries(described)) {
    builder.objectField(limits, name, (t) =>
      t.int({ nullable: false, description, resolve: (values) => values[name] ?? 0 }),
    )
  }
  return limits
}
