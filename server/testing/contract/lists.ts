import {
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
  isRequiredArgument,
} from 'graphql'
import { MAX_PAGE } from '../../../schema/index.ts'

/** A field that a plugin adds to the schema. */
export interface AddedField {
  /** The type that has it. */
  readonly parent: string
  readonly field: GraphQLField<unknown, unknown>
}

/** The fields that are in a schema and not in the one without the plugin. */
export function addedFields(all: GraphQLSchema, without: GraphQLSchema): readonly AddedField[] {
  return Object.values(all.getTypeMap()).flatMap((type) => {
    if ((!isObjectType(type) && !isInterfaceType(type)) || type.name.startsWith('__')) return []
    const before = without.getType(type.name)
    const known = isObjectType(before) || isInterfaceType(before) ? before.getFields() : {}
    return Object.values(type.getFields())
      .filter(({ name }) => known[name] === undefined)
      .map((field) => ({ parent: type.name, field }))
  })
}

const isConnection = ({ field }: AddedField): boolean => getNamedType(field.type).name.endsWith('Connection')
const isList = ({ field }: AddedField): boolean => isListType(getNullableType(field.type))

/** What is wrong with the lists among the fields: each must say how long it can be, so that its cost is known. */
export function listProblems(fields: readonly AddedField[]): readonly string[] {
  return fields.flatMap((added) => {
    const { parent, field } = added
    const name = `${parent}.${field.name}`
    // The connection's own cost has said it.
    if (parent.endsWith('Connection') && field.name === 'edges') return []
    if (isConnection(added)) return connectionProblems(name, field)
    if (!isList(added) || declaresCost(field)) return []
    return [
      `${name} is a list that does not say how long it can be: make it a connection (builder.connectionOf), ` +
        'or say how many items it has at most: complexity: { field: 1, multiplier: 10 }',
    ]
  })
}

function connectionProblems(name: string, field: GraphQLField<unknown, unknown>): readonly string[] {
  const problems: string[] = []
  if (!field.args.some((argument) => argument.name === 'first'))
    problems.push(`${name} is a connection without \`first\`: give it args: { ...builder.pageArgs }`)
  const { complexity } = field.extensions
  const cost: unknown = typeof complexity === 'function' ? complexity({ first: MAX_PAGE }, {}, field) : complexity
  const counts = typeof cost === 'object' && cost !== null && 'multiplier' in cost ? Number(cost.multiplier) : 1
  if (counts < MAX_PAGE) problems.push(`${name} costs the same whatever the page's size: give it complexity: pageCost`)
  return problems
}

/** Whether its author has said what it costs; else a default stands there. */
function declaresCost({ extensions: { pothosOptions } }: GraphQLField<unknown, unknown>): boolean {
  if (typeof pothosOptions !== 'object' || pothosOptions === null) return false
  return 'complexity' in pothosOptions && pothosOptions.complexity !== undefined
}

/** Queries that ask connections of the root for more than a page can have: each must be refused. */
export function oversizedPages(fields: readonly AddedField[]): readonly string[] {
  return fields
    .filter((added) => added.parent === 'Query' && isConnection(added))
    .filter(({ field }) => !field.args.some(isRequiredArgument))
    .map(({ field }) => `{ ${field.name}(first: ${MAX_PAGE + 1}) { pageInfo { hasNextPage } } }`)
}
