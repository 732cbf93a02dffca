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
import { LRUCache } from 'lru-cache'
import { apiError } from '../../schema/index.ts'
import { costOf, type RawVariables } from './cost.ts'
import { type CompiledRun, compile } from './jit.ts'
import type { Limits } from './limits.ts'
import { withCode } from './mask.ts'
import { type Refusable, refused } from './refusable.ts'
import { limitRule } from './rules.ts'

/** How many documents are kept, and how many tokens of them: a token costs up to 2 KiB once it is compiled. */
const MAX_DOCUMENTS = 1_000
const MAX_TOKENS = 100_000
/** Compiling costs as much as a thousand executions: it is for what comes again. */
const COMPILED_AT_USE = 3
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

  /** Of the variables that were sent, those that it knows. */
  declared(variables: RawVariables): RawVariables {
    const names = this.node.variableDefinitions?.map(({ variable }) => variable.name.value) ?? []
    return Object.fromEntries(
      names.flatMap((name) => (Object.hasOwn(variables, name) ? [[name, variables[name]]] : [])),
    )
  }

  /** The compiled operation, from its third request on. */
  compiled(): CompiledRun | undefined {
    if (++this.#uses === COMPILED_AT_USE) this.#compiled = compile(this.#schema, this.document, this.node)
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
  readonly #limitRules
  readonly #kept = new LRUCache<string, Prepared>({
    max: MAX_DOCUMENTS,
    maxSize: MAX_TOKENS,
    sizeCalculation: ({ document }, source) => document.tokenCount ?? source.length,
  })
  #latest: { readonly source: string; readonly prepared: Prepared } | undefined

  constructor(schema: GraphQLSchema, limits: Limits) {
    this.#schema = schema
    this.#limits = limits
    this.#limitRules = [limitRule(limits)]
  }

  /** Reads and checks a document, or remembers that it was. */
  prepare(source: string): Refusable<Prepared> {
    if (this.#latest?.source === source) return { ok: true, value: this.#latest.prepared }
    const known = this.#kept.get(source)
    if (known !== undefined) {
      this.#latest = { source, prepared: known }
      return { ok: true, value: known }
    }
    const parsed = this.parse(source)
    if (!parsed.ok) return parsed
    const errors = this.validate(parsed.value)
    if (errors.length > 0) return refused(...errors)
    const prepared = this.#operationsOf(parsed.value)
    this.#kept.set(source, prepared)
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
    // What is too large is not looked at more closely: some of the rules take time that grows with its square.
    const tooLarge = validate(this.#schema, document, this.#limitRules)
    const errors = tooLarge.length > 0 ? tooLarge : validate(this.#schema, document, specifiedRules, { maxErrors: 10 })
    return errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED'))
  }

  #operationsOf(document: DocumentNode): Prepared {
    const operations = document.definitions.flatMap((node) =>
      node.kind === Kind.OPERATION_DEFINITION ? [new Operation(this.#schema, document, node)] : [],
    )
    return { document, operations }
  }
}
