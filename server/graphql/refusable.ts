import type { GraphQLError } from 'graphql'

/** Something, or why not. */
export type Refusable<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly errors: readonly GraphQLError[] }

export const refused = (...errors: readonly GraphQLError[]): Refusable<never> => ({ ok: false, errors })
