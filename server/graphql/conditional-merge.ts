import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'

/** A set of selections, and whether `@skip` or `@include` decides about it within what it is merged with. */
interface Source {
  readonly set: SelectionSetNode
  readonly isConditional: boolean
}

interface Asked {
  readonly node: FieldNode
  readonly isConditional: boolean
}

/** Fields that are looked at; a document that unfolds to more is not worth it. */
const MAX_FIELDS = 20_000

/**
 * Whether a field is selected twice in one place, and not each time in any case: `a { b } a @include(if: $x) { c }`.
 * graphql-jit merges those as if the condition of one were that of all.
 */
export function mergesConditionally(document: DocumentNode, operation: OperationDefinitionNode): boolean {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node)
  }
  let seen = 0

  const collect = ({ set, isConditional }: Source, fields: Map<string, Asked[]>): void => {
    for (const selection of set.selections) {
      const conditional = isConditional || (selection.directives?.length ?? 0) > 0
      if (selection.kind === Kind.FIELD) {
        seen++
        const key = (selection.alias ?? selection.name).value
        const asked = fields.get(key)
        if (asked === undefined) fields.set(key, [{ node: selection, isConditional: conditional }])
        else asked.push({ node: selection, isConditional: conditional })
        continue
      }
      const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value)
      if (inner !== undefined && seen <= MAX_FIELDS)
        collect({ set: inner.selectionSet, isConditional: conditional }, fields)
    }
  }

  const check = (sources: readonly Source[]): boolean => {
    const fields = new Map<string, Asked[]>()
    for (const source of sources) collect(source, fields)
    if (seen > MAX_FIELDS) return true
    for (const asked of fields.values()) {
      if (asked.length > 1 && asked.some(({ isConditional }) => isConditional)) return true
      const sets = asked.flatMap(({ node }) => node.selectionSet ?? [])
      if (sets.length > 0 && check(sets.map((set) => ({ set, isConditional: false })))) return true
    }
    return false
  }
  return check([{ set: operation.selectionSet, isConditional: false }])
}
