import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql'
import { apiError } from '../../schema/index.ts'
import { costOf, type RawVariables } from './cost.ts'
import { type CompiledRun, compile } from './jit.ts'
import type { Limits } from './limits.ts'
import { withCode } from './mask.ts'
import { type Refusable, refused } from './refusable.ts'
import { limitRule } from './rules.ts'

/** How many documents are kept, and how many characters of them. */
const MAX_DOCUMENTS = 1_000
const MAX_CHARACTERS = 4 << 20
/** How many operations an error lists. */
const MAX_NAMED = 10

/** One operation of a valid document, with what is computed once for all its requests. */
export class Operation {
  readonly document: DocumentNode
  readonly node: OperationDefinitionNode
  readonly name: string | undefined
  readonly #schema: GraphQLSchema
  #cost: ((variables: RawVariables) => number) | undefined
  #uses = 0
  #compiled: CompiledRun | undefined

  constructor(schema: GraphQLSchema, document: DocumentNode, node: OperationDefinitionNode) {
    this.#schema = schema
    this.document = document
    this.node = node
    this.name = node.name?.value
  }

  cost(variables: RawVariables): number {
    this.#cost ??= costOf(this.#schema, this.document, this.node)
    return this.#cost(variables)
  }

  /** The compiled operation, from the second request on: compiling costs as much as a thousand executions. */
  compiled(): CompiledRun | undefined {
    if (++this.#uses === 2) this.#compiled = compile(this.#schema, this.document, this.node)
    return this.#compiled
  }
}

/** A document that was read and checked. */
export interface Prepared {
  readonly document: DocumentNode
  readonly operations: readonly Operation[]
}

/** Parsed and validated documents, least recently used first out. Invalid ones are not kept. */
export class Documents {
  readonly #schema: GraphQLSchema
  readonly #limits: Limits
  readonly #rules
  readonly #kept = new Map<string, Prepared>()
  #characters = 0
  #latest: { readonly source: string; readonly prepared: Prepared } | undefined

  constructor(schema: GraphQLSchema, limits: Limits) {
    this.#schema = schema
    this.#limits = limits
    this.#rules = [...specifiedRules, limitRule(limits)]
  }

  /** Reads and checks a document, or remembers that it was. */
  prepare(source: string): Refusable<Prepared> {
    if (this.#latest?.source === source) return { ok: true, value: this.#latest.prepared }
    const known = this.#kept.get(source)
    if (known !== undefined) {
      this.#kept.delete(source)
      this.#kept.set(source, known)
      this.#latest = { source, prepared: known }
      return { ok: true, value: known }
    }
    const parsed = this.parse(source)
    if (!parsed.ok) return parsed
    const errors = this.validate(parsed.value)
    if (errors.length > 0) return refused(...errors)
    const prepared = this.#operationsOf(parsed.value)
    this.#keep(source, prepared)
    return { ok: true, value: prepared }
  }

  /** The operation to run. */
  select({ operations }: Prepared, name: string | null | undefined): Refusable<Operation> {
    const [only] = operations
    if (name == null && operations.length === 1 && only !== undefined) return { ok: true, value: only }
    const found = name == null ? undefined : operations.find((operation) => operation.name === name)
    if (found !== undefined) return { ok: true, value: found }
    const names = operations.flatMap((operation) => operation.name ?? [])
    const message =
      operations.length === 0
        ? 'The document has no operation, only fragments.'
        : name == null
          ? `The document has several operations: say which to run by \`operationName\` (${names.slice(0, MAX_NAMED).join(', ')}${names.length > MAX_NAMED ? ', ...' : ''}).`
          : `The document has no operation named ${JSON.stringify(name.slice(0, 100))}.`
    return refused(apiError('OPERATION_RESOLUTION_FAILURE', message))
  }

  parse(source: string): Refusable<DocumentNode> {
    const { queryLength, tokens } = this.#limits
    if (source.length > queryLength) {
      return refused(
        apiError(
          'QUERY_TOO_LARGE',
          `The document has ${source.length} characters; ${queryLength} are allowed. Pass values as variables.`,
          { limit: queryLength, actual: source.length },
        ),
      )
    }
    try {
      return { ok: true, value: parse(source, { maxTokens: tokens }) }
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error
      if (/more tha[nt] \d+ tokens/.test(error.message))
        return refused(
          apiError(
            'QUERY_TOO_LARGE',
            `The document has more than ${tokens} tokens. Split it, and pass values as variables.`,
            { limit: tokens },
          ),
        )
      return refused(withCode(error, 'GRAPHQL_PARSE_FAILED'))
    }
  }

  validate(document: DocumentNode): readonly GraphQLError[] {
    return validate(this.#schema, document, this.#rules, { maxErrors: 10 }).map((error) =>
      withCode(error, 'GRAPHQL_VALIDATION_FAILED'),
    )
  }

  #operationsOf(document: DocumentNode): Prepared {
    const operations = document.definitions.flatMap((node) =>
      node.kind === Kind.OPERATION_DEFINITION ? [new Operation(this.#schema, document, node)] : [],
    )
    return { document, operations }
  }

  #keep(source: string, prepared: Prepared): void {
    this.#kept.set(source, prepared)
    this.#characters += source.length
    for (const [oldest] of this.#kept) {
      if (this.#kept.size <= MAX_DOCUMENTS && this.#characters <= MAX_CHARACTERS) break
      this.#kept.delete(oldest)
      this.#characters -= oldest.length
    }
  }
}
