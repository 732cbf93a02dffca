/**
 * The text of a GraphQL operation that knows its types, as codegen's TypedDocumentString does.
 * A plain string serves as one whose result is `unknown`.
 */
export interface TypedDocument<Result, Variables> {
  toString(): string
  /** Never there: it carries the types. */
  readonly __apiType?: ((variables: Variables) => Result) | undefined
}

/** An operation from its text. The caller vouches for the types. */
export function document<Result, Variables>(text: string): TypedDocument<Result, Variables> {
  return { toString: () => text }
}
