import { GraphQLError } from 'graphql'

/** Everything that may accompany a code in `errors[].extensions`. Values must survive JSON. */
export type ApiErrorDetails = Readonly<Record<string, string | number | boolean | null | readonly string[]>>

/**
 * An error that a client is meant to see: a caller's mistake, or a precondition that does not hold. Anything
 * else that a resolver throws is masked.
 * @param code stable, UPPER_SNAKE_CASE, in `extensions.code`
 * @param message a sentence that says what is wrong and how to mend it
 * @param details values involved, beside the code in `extensions`
 */
export function apiError(code: string, message: string, details: ApiErrorDetails = {}): GraphQLError {
  return new GraphQLError(message, { extensions: { ...details, code } })
}

export type SchemaProblemCode =
  | 'DUPLICATE_TYPE'
  | 'DUPLICATE_FIELD'
  | 'TYPE_MISSING'
  | 'TYPE_NOT_OWNED'
  | 'TOKEN_FORGED'
  | 'DEFINITION_FAILED'
  | 'RULE_LOST'

/** One thing wrong with how a plugin contributes to the schema. */
export interface SchemaProblem {
  readonly code: SchemaProblemCode
  /** The plugin to blame; `core` for the server itself. */
  readonly owner: string
  /** What is wrong and how to mend it. */
  readonly message: string
}

/** The schema cannot be built: every problem found, at once. */
export class SchemaError extends Error {
  readonly code = 'SCHEMA_INVALID'
  readonly problems: readonly SchemaProblem[]

  constructor(problems: readonly SchemaProblem[], options?: ErrorOptions) {
    const lines = problems.map((problem) => `  plugin "${problem.owner}": ${problem.message} [${problem.code}]`)
    super(`The GraphQL schema cannot be built:\n${lines.join('\n')}`, options)
    this.name = 'SchemaError'
    this.problems = problems
  }
}
