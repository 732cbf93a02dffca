import {
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  getNamedType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  visit,
} from 'graphql'
import type { Context } from '../../../schema/index.ts'
import type { RawVariables } from '../cost.ts'

/** How subscriptions of one operation can share their work. */
interface Sharing {
  /** Whether what it gives from now on is the same for everybody who asks the same. */
  readonly isLive: boolean
  /** Whether its events have a place to resume from. */
  readonly isResumable: boolean
  /** The variable that says where to begin. */
  readonly cursorVariable: string | undefined
}

/** What one subscription can share. */
export interface Plan {
  /** Subscriptions of one operation with the same key give the same results; undefined if it must be alone. */
  readonly key: string | undefined
  /** Where it begins; undefined for what happens from now on. */
  readonly after: string | undefined
  /** The variables of what it shares: those for what happens from now on. */
  readonly live: RawVariables
  readonly isResumable: boolean
}

/** Longer variables are not compared: whoever sends them is alone. */
const MAX_KEY = 16 << 10

const known = new WeakMap<OperationDefinitionNode, Sharing>()

/**
 * Tells what a subscription shares. A field with the argument `after: Cursor` is a stream of events: without the
 * argument it gives what happens from now on, to everybody the same, and no two of its events have the same cursor.
 * Other fields may begin with a state of their own, so they are shared only if they say so, by
 * `extensions: { shared: true }`; a stream whose results depend on more than arguments and access must say
 * `shared: false`.
 */
export function planOf(
  schema: GraphQLSchema,
  { document, node }: { readonly document: DocumentNode; readonly node: OperationDefinitionNode },
  variables: RawVariables,
  { principal, requestExtensions }: Pick<Context, 'principal' | 'requestExtensions'>,
): Plan {
  const { isLive, isResumable, cursorVariable } = sharingOf(schema, document, node)
  const after = cursorVariable === undefined ? undefined : (variables[cursorVariable] ?? undefined)
  const others = Object.entries(variables).filter(([name]) => name !== cursorVariable)
  others.sort(([one], [other]) => (one < other ? -1 : 1))
  const canShare = isLive && (after === undefined || typeof after === 'string')
  return {
    key: canShare ? keyOf([principal.access, others, Object.entries(requestExtensions)]) : undefined,
    after: typeof after === 'string' ? after : undefined,
    live: Object.fromEntries(others),
    isResumable,
  }
}

function keyOf(parts: readonly unknown[]): string | undefined {
  const text = JSON.stringify(parts)
  return text.length > MAX_KEY ? undefined : text
}

function sharingOf(schema: GraphQLSchema, document: DocumentNode, node: OperationDefinitionNode): Sharing {
  const found = known.get(node) ?? analyse(schema, document, node)
  known.set(node, found)
  return found
}

const ALONE: Sharing = { isLive: false, isResumable: false, cursorVariable: undefined }

function analyse(schema: GraphQLSchema, document: DocumentNode, node: OperationDefinitionNode): Sharing {
  const [field, ...others] = rootFields(document, node.selectionSet)
  const definition = field && schema.getSubscriptionType()?.getFields()[field.name.value]
  if (field === undefined || definition === undefined || others.length > 0) return ALONE
  const { shared } = definition.extensions
  const after = definition.args.find(({ name, type }) => name === 'after' && getNamedType(type).name === 'Cursor')
  if (after === undefined) return { ...ALONE, isLive: shared === true }
  const given = field.arguments?.find(({ name }) => name.value === 'after')?.value
  const isLive = shared !== false
  if (given === undefined || given.kind === Kind.NULL) return { ...ALONE, isLive, isResumable: true }
  // A cursor that is written into the document, or used for more than this, is not taken out of the comparison.
  if (given.kind !== Kind.VARIABLE || usesOf(document, given.name.value) !== 1) return { ...ALONE, isResumable: true }
  const { value: name } = given.name
  const declared = node.variableDefinitions?.find(({ variable }) => variable.name.value === name)
  if (declared?.defaultValue !== undefined) return { ...ALONE, isResumable: true }
  return { isLive, isResumable: true, cursorVariable: name }
}

/** The fields that an operation selects, through all fragments. Validation has refused fragments in a circle. */
function rootFields(document: DocumentNode, { selections }: SelectionSetNode): FieldNode[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection]
    if (selection.kind === Kind.INLINE_FRAGMENT) return rootFields(document, selection.selectionSet)
    const fragment = document.definitions.find(
      (definition) => definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === selection.name.value,
    )
    return fragment?.kind === Kind.FRAGMENT_DEFINITION ? rootFields(document, fragment.selectionSet) : []
  })
}

/** How often a document uses a variable, apart from declaring it. */
function usesOf(document: DocumentNode, name: string): number {
  let uses = 0
  visit(document, {
    VariableDefinition: () => false,
    Variable: (variable) => {
      if (variable.name.value === name) uses++
    },
  })
  return uses
}
