import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql'

/** Variables as sent: not yet coerced. */
export type RawVariables = Readonly<Record<string, unknown>>

/** What a field costs: itself, and how often what it selects is counted. */
interface FieldCost {
  readonly field: number
  readonly multiplier: number
}

/** A part of the document, whose cost may depend on variables. */
type Part = number | ((variables: RawVariables, known: Map<Part, number>) => number)

/**
 * Prepares the cost of an operation: what each field's `complexity` says (schema/), times the sizes of the lists around
 * it. Everything that does not depend on variables is added up now; the rest when the result is called.
 * @returns a function of the raw variables; it never throws
 */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): (variables: RawVariables) => number {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node)
  }
  const defaults: Record<string, unknown> = {}
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    if (defaultValue !== undefined) defaults[variable.name.value] = valueFromASTUntyped(defaultValue)
  }
  const known = new Map<SelectionSetNode, Map<GraphQLNamedType, Part>>()

  const ofSelections = (set: SelectionSetNode, type: GraphQLNamedType): Part => {
    const before = known.get(set)?.get(type)
    if (before !== undefined) return before
    const parts = set.selections.map((selection): Part => {
      if (selection.kind === Kind.FIELD) return ofField(selection, type)
      const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value)
      if (fragment === undefined) return 0
      const on = fragment.typeCondition === undefined ? type : schema.getType(fragment.typeCondition.name.value)
      return on === undefined ? 0 : ofSelections(fragment.selectionSet, on)
    })
    const sum = add(parts)
    const types = known.get(set) ?? new Map<GraphQLNamedType, Part>()
    known.set(set, types.set(type, sum))
    return sum
  }

  const ofField = (node: FieldNode, type: GraphQLNamedType): Part => {
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined
    if (field === undefined) return node.selectionSet === undefined ? 0 : ofIntrospection(node, node.selectionSet)
    const children = node.selectionSet === undefined ? 0 : ofSelections(node.selectionSet, getNamedType(field.type))
    if (type.name.startsWith('__')) return scale({ field: 1, multiplier: SCHEMA_LISTS[node.name.value] ?? 1 }, children)
    const complexity = field.extensions.complexity
    if (typeof complexity !== 'function') return scale(fieldCost(complexity), children)
    const usesVariables = node.arguments?.some(({ value }) => hasVariable(value)) === true
    const estimate = (variables: RawVariables): FieldCost => {
      try {
        return fieldCost(complexity(argumentsOf(node, field, { ...defaults, ...variables }), {}, field))
      } catch {
        // Arguments of a wrong shape: the request is refused when they are coerced.
        return { field: 1, multiplier: 1 }
      }
    }
    if (!usesVariables) return scale(estimate({}), children)
    return (variables, values) => amount(scale(estimate(variables), children), variables, values)
  }

  /** `__schema` and `__type`: nothing is looked up for them, so that four of their fields count as one. */
  const ofIntrospection = ({ name }: FieldNode, set: SelectionSetNode): Part => {
    const type = schema.getType(name.value === '__schema' ? '__Schema' : '__Type')
    return type === undefined ? 0 : scale({ field: 1, multiplier: 0.25 }, ofSelections(set, type))
  }
  const root = schema.getRootType(operation.operation)
  const total = root == null ? 0 : ofSelections(operation.selectionSet, root)
  return typeof total === 'number'
    ? () => Math.ceil(total)
    : (variables) => Math.ceil(amount(total, variables, new Map()))
}

function amount(part: Part, variables: RawVariables, known: Map<Part, number>): number {
  if (typeof part === 'number') return part
  const before = known.get(part)
  if (before !== undefined) return before
  const value = part(variables, known)
  known.set(part, value)
  return value
}

function add(parts: readonly Part[]): Part {
  const open = parts.filter((part) => typeof part === 'function')
  const fixed = parts.reduce<number>((sum, part) => (typeof part === 'number' ? sum + part : sum), 0)
  if (open.length === 0) return fixed
  return (variables, known) => open.reduce<number>((sum, part) => sum + amount(part, variables, known), fixed)
}

function scale({ field, multiplier }: FieldCost, children: Part): Part {
  if (typeof children === 'number') return field + multiplier * children
  return (variables, known) => field + multiplier * amount(children, variables, known)
}

function fieldCost(complexity: unknown): FieldCost {
  if (typeof complexity === 'number') return { field: atLeastZero(complexity), multiplier: 1 }
  if (typeof complexity !== 'object' || complexity === null) return { field: 1, multiplier: 1 }
  return {
    field: 'field' in complexity ? atLeastZero(complexity.field) : 1,
    multiplier: 'multiplier' in complexity ? atLeastZero(complexity.multiplier) : 1,
  }
}

const atLeastZero = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0)

function argumentsOf(
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  variables: RawVariables,
): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const { name, defaultValue } of field.args) if (defaultValue !== undefined) values[name] = defaultValue
  for (const { name, value } of node.arguments ?? []) {
    const given = valueFromASTUntyped(value, variables)
    if (given !== undefined) values[name.value] = given
  }
  return values
}

function hasVariable(value: { readonly kind: string }): boolean {
  return value.kind === Kind.VARIABLE || Object.values(value).some((child) => hasVariableChild(child))
}

function hasVariableChild(child: unknown): boolean {
  if (Array.isArray(child)) return child.some(hasVariableChild)
  return (
    typeof child === 'object' &&
    child !== null &&
    'kind' in child &&
    typeof child.kind === 'string' &&
    hasVariable({ ...child, kind: child.kind })
  )
}

/** How long a schema's own lists count as, so that a document can ask for all of it once, whatever its size. */
const SCHEMA_LISTS: Readonly<Record<string, number>> = {
  types: 100,
  directives: 8,
  fields: 6,
  args: 2,
  inputFields: 2,
  enumValues: 4,
}
