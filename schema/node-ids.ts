import { type GraphQLError, type GraphQLSchema, isObjectType } from 'graphql'
import { apiError } from './errors.ts'
import { checkInService } from './field-owners.ts'

/** A node's type, and its key among the nodes of that type. */
export interface NodeId {
  readonly typename: string
  readonly id: string
}

/**
 * How nodes are named: an id is opaque to clients, holds the type and the key, and is understood by `node(id)`.
 *
 * A type whose keys cannot be mistaken for any other id may use them as they are (`plain`), so that what `id` gives can
 * also be passed wherever that key is an argument.
 */
export class NodeIds {
  readonly #plain = new Map<string, RegExp>()

  /**
   * Lets the keys of a type be its ids.
   * @param pattern matches each of its keys and no other type's ids. These are base64, so that it must ask for a
   *   character which that has not, or for a start which no `<Type>:` has in base64
   */
  plain(typename: string, pattern: RegExp): void {
    this.#plain.set(typename, pattern)
  }

  encode(typename: string, key: string): string {
    return this.#plain.has(typename) ? key : Buffer.from(`${typename}:${key}`).toString('base64')
  }

  /** @throws GraphQLError BAD_ID */
  decode(id: string): NodeId {
    for (const [typename, pattern] of this.#plain) if (pattern.test(id)) return { typename, id }
    const [, typename, key] = /^([A-Za-z_]\w*):(.+)$/s.exec(Buffer.from(id, 'base64').toString()) ?? []
    if (typename === undefined || key === undefined || this.#plain.has(typename)) throw badId()
    return { typename, id: key }
  }
}

/** @throws GraphQLError BAD_ID if no node is of that type: the id comes from outside; PLUGIN_FAILED */
export function checkIsNode(schema: GraphQLSchema, { typename }: { readonly typename: string }): void {
  const type = schema.getType(typename)
  if (!isObjectType(type) || !type.getInterfaces().some(({ name }) => name === 'Node')) throw badId()
  checkInService(type)
}

const badId = (): GraphQLError =>
  apiError('BAD_ID', 'This is not the id of a node. Pass an id exactly as the server gave it.')
