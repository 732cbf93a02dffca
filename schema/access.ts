import CoreBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core'
import type { GraphQLError, GraphQLSchema } from 'graphql'
import { isInterfaceType, isObjectType } from 'graphql'
import type { Context } from './context.ts'
import { apiError } from './errors.ts'
import type { Principal } from './principal.ts'

/**
 * What a field can ask of its caller: `authScopes: { scope: 'jobs:read' }`, or `authScopes: { signedIn: true }` for
 * anybody who is somebody. Both together mean both; `$any: { ... }` means one of them.
 */
export interface AccessRules {
  readonly scope: string
  readonly signedIn: boolean
}

/** A scope's name, like `jobs:read`. */
export const SCOPE_NAME = /^[a-z][a-z0-9_-]{0,31}(:[a-z][a-z0-9_-]{0,31}){0,2}$/

/** How the rules are judged for one request. */
export const judgeAccess = ({ principal }: Context) => ({
  signedIn: principal.kind !== 'anonymous',
  scope: (scope: string) => principal.can(scope),
})

/**
 * What a caller is told whom a field refuses: UNAUTHENTICATED for strangers; FORBIDDEN for others, with the scope that
 * is missing.
 */
export function accessError({ principal }: Context, failure: unknown): GraphQLError {
  const [scope] = missingScopes(failure)
  return accessRefusal(principal, scope)
}

/** The same, where the missing scope is known. */
export function accessRefusal(principal: Principal, scope: string | undefined): GraphQLError {
  const needs = scope === undefined ? {} : { scope }
  if (principal.kind === 'anonymous')
    return apiError(
      'UNAUTHENTICATED',
      `This is for callers who say who they are${scope === undefined ? '' : ` and have the scope ${scope}`}. Send an API key or a sign-in token as \`authorization: Bearer ...\`.`,
      needs,
    )
  return scope === undefined
    ? apiError('FORBIDDEN', 'You may not do this.')
    : apiError('FORBIDDEN', `The scope ${scope} is missing. Use a key that has it.`, needs)
}

/** The scopes that Pothos found missing; `failure` is its tree of reasons. */
function missingScopes(failure: unknown): readonly string[] {
  if (typeof failure !== 'object' || failure === null) return []
  if ('failures' in failure && Array.isArray(failure.failures)) return failure.failures.flatMap(missingScopes)
  const isScope = 'scope' in failure && failure.scope === 'scope' && 'parameter' in failure
  return isScope && typeof failure.parameter === 'string' ? [failure.parameter] : []
}

/** The scopes named in a field's `authScopes`; none for rules that are functions. */
function scopesIn(rules: unknown): readonly string[] {
  if (typeof rules !== 'object' || rules === null) return []
  return Object.entries(rules).flatMap(([key, value]) =>
    key === 'scope' && typeof value === 'string' ? [value] : key.startsWith('$') ? scopesIn(value) : [],
  )
}

/** Every scope that some field of the schema asks for, in order. */
export function scopesOf(schema: GraphQLSchema): readonly string[] {
  const found = new Set<string>()
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) && !isInterfaceType(type)) continue
    for (const { extensions } of Object.values(type.getFields())) {
      const { scopes } = extensions
      if (Array.isArray(scopes)) for (const scope of scopes) if (typeof scope === 'string') found.add(scope)
    }
  }
  return [...found].sort()
}

/**
 * Fields that an interface guards and a type that implements it does not: whoever asks the type would get past the
 * interface's rule.
 */
export function unguardedFields(schema: GraphQLSchema): readonly { readonly type: string; readonly field: string }[] {
  return Object.values(schema.getTypeMap()).flatMap((type) => {
    if (!isObjectType(type) && !isInterfaceType(type)) return []
    const own = type.getFields()
    const guarded = type.getInterfaces().flatMap((above) =>
      Object.values(above.getFields())
        .filter(({ extensions }) => extensions.guarded === true)
        .map(({ name }) => name),
    )
    return [...new Set(guarded)]
      .filter((field) => own[field]?.extensions.guarded !== true)
      .map((field) => ({ type: type.name, field }))
  })
}

const NAME = 'accessNotes'

/** Says in each field's description what its caller needs, and refuses rules that nobody could mean. */
export class AccessNotes<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    const rules: unknown = field.pothosOptions.authScopes
    if (rules === undefined || rules === null) return field
    const where = `${field.parentType}.${field.name}`
    if (typeof rules === 'object' && Object.keys(rules).length === 0)
      throw new Error(`${where} has empty authScopes, which let everybody in. Name a rule, or leave them out.`)
    const scopes = scopesIn(rules)
    for (const scope of scopes) {
      if (!SCOPE_NAME.test(scope))
        throw new Error(`${where} asks for the scope ${JSON.stringify(scope)}; name it like "weather:read".`)
    }
    const needs =
      scopes.length > 0
        ? `Needs the scope ${scopes.map((scope) => `\`${scope}\``).join(', ')}.`
        : typeof rules === 'object' && 'signedIn' in rules
          ? 'Needs a caller who is signed in.'
          : undefined
    return {
      ...field,
      description: [field.description, needs].filter((part) => part != null).join(' ') || null,
      extensions: { ...field.extensions, guarded: true, ...(scopes.length > 0 ? { scopes } : {}) },
    }
  }
}

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      accessNotes: AccessNotes<Types>
    }
  }
}

CoreBuilder.registerPlugin(NAME, AccessNotes)

export default NAME
