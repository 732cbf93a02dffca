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
      const { aliases, directives, spreads, repeats } = count(document)
      const found = [
        over('QUERY_TOO_DEEP', 'fields nested', depthOf(document), limits.depth),
        over('TOO_MANY_ALIASES', 'aliases', aliases, limits.aliases),
        over('TOO_MANY_DIRECTIVES', 'directives', directives, limits.directives),
        over('TOO_MANY_FRAGMENTS', 'fragments spread', spreads, limits.fragmentSpreads),
        over('TOO_MANY_REPEATS', 'fields of one name side by side', repeats, limits.repeatedFields),
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

interface Counts {
  readonly aliases: number
  readonly directives: number
  readonly spreads: number
  /** Of the field that stands in one selection set most often. */
  readonly repeats: number
}

function count(document: DocumentNode): Counts {
  let aliases = 0
  let directives = 0
  let spreads = 0
  let repeats = 0
  visit(document, {
    Field: (field) => {
      if (field.alias !== undefined) aliases++
    },
    Directive: () => {
      directives++
    },
    FragmentSpread: () => {
      spreads++
    },
    SelectionSet: ({ selections }) => {
      const times = new Map<string, number>()
      for (const selection of selections) {
        if (selection.kind !== Kind.FIELD) continue
        const name = (selection.alias ?? selection.name).value
        const seen = (times.get(name) ?? 0) + 1
        times.set(name, seen)
        repeats = Math.max(repeats, seen)
      }
    },
  })
  return { aliases, directives, spreads, repeats }
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
