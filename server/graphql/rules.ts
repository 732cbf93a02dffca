import {
  type ASTNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLError,
  Kind,
  type SelectionSetNode,
  type ValidationRule,
  visit,
} from 'graphql'
import { apiError } from '../../schema/index.ts'
import type { Limits } from './limits.ts'

/** Refuses documents that are deeper, or have more aliases or directives, than the limits allow. */
export function limitRule(limits: Limits): ValidationRule {
  return (context) => ({
    Document(document) {
      const { aliases, directives } = count(document)
      const found = [
        over('QUERY_TOO_DEEP', 'fields nested', depthOf(document), limits.depth),
        over('TOO_MANY_ALIASES', 'aliases', aliases, limits.aliases),
        over('TOO_MANY_DIRECTIVES', 'directives', directives, limits.directives),
      ]
      for (const error of found) if (error !== undefined) context.reportError(error)
    },
  })
}

function over(code: string, what: string, actual: number, limit: number): GraphQLError | undefined {
  if (actual <= limit) return undefined
  return apiError(code, `The document has ${actual} ${what}; ${limit} are allowed. Split it into smaller ones.`, {
    limit,
    actual,
  })
}

function count(document: DocumentNode): { readonly aliases: number; readonly directives: number } {
  let aliases = 0
  let directives = 0
  visit(document, {
    Field: (field) => {
      if (field.alias !== undefined) aliases++
    },
    Directive: () => {
      directives++
    },
  })
  return { aliases, directives }
}

/** The deepest nesting of fields, through fragments. Each fragment is measured once, so size stays linear. */
function depthOf(document: DocumentNode): number {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }
  const known = new Map<string, number>()
  const ofSelections = ({ selections }: SelectionSetNode): number =>
    selections.reduce((deepest, selection) => Math.max(deepest, ofNode(selection)), 0)
  const ofNode = (node: ASTNode): number => {
    if (node.kind === Kind.FIELD) return 1 + (node.selectionSet === undefined ? 0 : ofSelections(node.selectionSet))
    if (node.kind === Kind.INLINE_FRAGMENT) return ofSelections(node.selectionSet)
    if (node.kind !== Kind.FRAGMENT_SPREAD) return 0
    const name = node.name.value
    const fragment = fragments.get(name)
    if (fragment === undefined) return 0
    const measured = known.get(name)
    if (measured !== undefined) return measured
    // A circle is another rule's finding; here it must only end.
    known.set(name, 0)
    const depth = ofSelections(fragment.selectionSet)
    known.set(name, depth)
    return depth
  }
  return document.definitions.reduce(
    (deepest, node) =>
      node.kind === Kind.OPERATION_DEFINITION ? Math.max(deepest, ofSelections(node.selectionSet)) : deepest,
    0,
  )
}
