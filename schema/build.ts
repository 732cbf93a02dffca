import { type GraphQLSchema, validateSchema } from 'graphql'
import { unguardedFields } from './access.ts'
import { type Builder, createBuilder } from './builder.ts'
import { SchemaError, type SchemaProblem } from './errors.ts'
import { noteOwners } from './field-owners.ts'

/** What one plugin (or the core) adds to the schema. */
export interface SchemaPart {
  /** The plugin's name, or `core`. */
  readonly owner: string
  define(builder: Builder): void
}

/**
 * Builds one schema from all parts, in whatever order they come.
 * @throws SchemaError with every problem found, each naming its plugin
 */
export function buildSchema(parts: readonly SchemaPart[]): GraphQLSchema {
  const builder = createBuilder()
  const { ownership } = builder
  const failures: SchemaProblem[] = []
  for (const { owner, define } of parts) {
    try {
      ownership.as(owner, () => define(builder))
    } catch (error) {
      failures.push(failure(owner, error))
    }
  }
  ownership.as('core', () => {
    // A root type without fields is not valid GraphQL.
    if (ownership.isExtended('Mutation')) builder.mutationType({ description: 'What can be changed.' })
    if (ownership.isExtended('Subscription')) builder.subscriptionType({ description: 'What can be followed live.' })
  })
  const problems = [...failures, ...ownership.problems()]
  if (problems.length > 0) throw new SchemaError(problems)
  try {
    const schema = builder.toSchema({ sortSchema: true })
    const invalid = validateSchema(schema)
    if (invalid.length > 0) {
      throw new SchemaError(
        invalid.map(({ message }) => ({ code: 'DEFINITION_FAILED', owner: ownership.latest, message })),
      )
    }
    const unguarded = unguardedFields(schema)
    if (unguarded.length > 0) {
      throw new SchemaError(
        unguarded.map(({ type, field }) => ({
          code: 'RULE_LOST',
          owner: ownership.ownerOf(type, field) ?? ownership.latest,
          message: `${type}.${field} has no authScopes, and an interface of ${type} has them for it. Repeat them there.`,
        })),
      )
    }
    noteOwners(schema, (type, field) => ownership.ownerOf(type, field))
    return schema
  } catch (error) {
    if (error instanceof SchemaError) throw error
    const built = [failure(ownership.latest, error), ...ownership.problems()]
    throw new SchemaError(built, { cause: error })
  }
}

function failure(owner: string, error: unknown): SchemaProblem {
  const message = error instanceof Error ? error.message : String(error)
  const code = message.startsWith('Duplicate field') ? 'DUPLICATE_FIELD' : 'DEFINITION_FAILED'
  return { code, owner, message }
}
