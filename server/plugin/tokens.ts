import type { z } from 'zod'

/** Carries a token's type; it exists for the compiler only. */
declare const TYPE: unique symbol

/** Names a service that one plugin provides and others require. */
export interface Service<T> {
  readonly kind: 'service'
  readonly id: string
  readonly [TYPE]?: T
}

/** A service that a plugin uses if it is there; made by `optional(token)`. */
export interface OptionalService<T> {
  readonly kind: 'optional'
  readonly service: Service<T>
}

/** A place where other plugins add to the plugin that owns the point. */
export interface ExtensionPoint<T> {
  readonly kind: 'extension-point'
  readonly id: string
  readonly unique?: Unique<T>
  readonly [TYPE]?: T
}

/** Tells contributions apart: two of the same key do not load. */
export interface Unique<T> {
  /** What is contributed, as a message names it: `ledger module`. */
  readonly what: string
  /** The key, for example a name. */
  of(contribution: T): string
}

/** A kind of event, with the schema of its payload. */
export interface Topic<P> {
  readonly kind: 'topic'
  readonly id: string
  readonly schema: z.ZodType<P>
  readonly retention: Retention
}

/** A GraphQL type that other plugins may refer to and extend. */
export interface TypeRef<Shape> {
  readonly kind: 'type'
  readonly name: string
  readonly [TYPE]?: Shape
}

/** How long a topic's events are kept: a number of days, or for good. */
export type Retention = { readonly days: number } | 'forever'

/**
 * A service token. Its id is `<plugin>.<name>`; the part before the dot tells users which plugin to install.
 *
 *     export const Ledger = service<Ledger>('execution.ledger')
 */
export const service = <T>(id: string): Service<T> => Object.freeze({ kind: 'service', id: checkId(id) })

/** Marks a required service as one that may be absent: `host.use.x` is then `T | undefined`. */
export const optional = <T>(token: Service<T>): OptionalService<T> =>
  Object.freeze({ kind: 'optional', service: token })

/** An extension point, named `<owner>.<name>`. Only its owner reads the contributions. */
export const extensionPoint = <T>(id: string, options: { readonly unique?: Unique<T> } = {}): ExtensionPoint<T> =>
  Object.freeze({ kind: 'extension-point', id: checkId(id), ...options })

/**
 * A topic, named `<plugin>.<name>`. A payload may hold what CBOR can: text, booleans, safe integers, bigint,
 * Uint8Array, null, arrays and plain objects.
 */
export const topic = <P>(id: string, schema: z.ZodType<P>, options: { retention?: Retention } = {}): Topic<P> =>
  Object.freeze({ kind: 'topic', id: checkId(id), schema, retention: options.retention ?? 'forever' })

/** A GraphQL type's token: its name in the schema, and the shape that its resolvers receive as parent. */
export const typeRef = <Shape>(name: string): TypeRef<Shape> => Object.freeze({ kind: 'type', name })

/** The plugin that a token belongs to: what stands before the first dot of its id. */
export const ownerOf = (token: { readonly id: string }): string => token.id.slice(0, token.id.indexOf('.'))

function checkId(id: string): string {
  if (/^[a-z][a-z0-9_]*\.[A-Za-z][A-Za-z0-9._-]*$/.test(id)) return id
  throw new TypeError(`"${id}" is not a token id; write it as <plugin>.<name>, like "weather.feed"`)
}
