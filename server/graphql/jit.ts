import {
  type ArgumentNode,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
  type GraphQLType,
  getNamedType,
  isInputObjectType,
  isLeafType,
  isScalarType,
  isSpecifiedScalarType,
  Kind,
  type OperationDefinitionNode,
  TypeInfo,
  typeFromAST,
  visit,
  visitWithTypeInfo,
} from 'graphql'
import { compileQuery, isCompiledQuery } from 'graphql-jit'
import type { Context } from '../../schema/index.ts'
import { mergesConditionally } from './conditional-merge.ts'
import type { RawVariables } from './cost.ts'
import { useSafeJitRuntime } from './jit-runtime.ts'

/** False if the runtime could not be made safe; then every operation is interpreted. */
export const compilesOperations: boolean = await useSafeJitRuntime()

/**
 * A compiled operation. Variables that do not fit give a result without `data`.
 * @param event what a subscription is executed on
 */
export type CompiledRun = (
  context: Context,
  variables: RawVariables,
  event?: unknown,
) => ExecutionResult | Promise<ExecutionResult>

/**
 * Compiles an operation (of a subscription, what is done for each event) to JavaScript, or gives undefined for one that graphql-jit would answer differently
 * from graphql-js: it writes literals and defaults into the code as JSON, so they must be what JSON can hold, it checks
 * variables of input object types loosely, it does not know `@oneOf`, and it mixes up the conditions of fields that are
 * merged.
 */
export function compile(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): CompiledRun | undefined {
  if (!compilesOperations || !isCompilable(schema, document) || mergesConditionally(document, operation))
    return undefined
  const compiled = compileQuery(schema, document, operation.name?.value, { disablingCapturingStackErrors: true })
  if (!isCompiledQuery(compiled)) return undefined
  return (context, variables, event) => compiled.query(event, context, variables)
}

function isCompilable(schema: GraphQLSchema, document: DocumentNode): boolean {
  let compilable = true
  const typeInfo = new TypeInfo(schema)
  visit(
    document,
    visitWithTypeInfo(typeInfo, {
      VariableDefinition(definition) {
        const type = typeFromAST(schema, definition.type)
        if (
          type === undefined ||
          !isLeafType(getNamedType(type)) ||
          !isPlain(type, definition.defaultValue !== undefined)
        )
          compilable = false
      },
      Argument(argument: ArgumentNode) {
        const type = typeInfo.getInputType()
        if (argument.value.kind !== Kind.VARIABLE && (type == null || !isPlain(type, true))) compilable = false
      },
      Field() {
        for (const { type, defaultValue } of typeInfo.getFieldDef()?.args ?? []) {
          if (defaultValue !== undefined && !isPlain(type, true)) compilable = false
        }
      },
    }),
  )
  return compilable
}

/** Whether a type has no `@oneOf` in it and, if its values end up in the code, only values that JSON holds. */
function isPlain(type: GraphQLType, inCode: boolean, within: ReadonlySet<string> = new Set()): boolean {
  const named = getNamedType(type)
  if (isScalarType(named)) return !inCode || isSpecifiedScalarType(named)
  if (isLeafType(named)) return true
  if (!isInputObjectType(named) || named.isOneOf) return false
  if (within.has(named.name)) return true
  const path = new Set(within).add(named.name)
  return Object.values(named.getFields()).every((field) =>
    isPlain(field.type, inCode || field.defaultValue !== undefined, path),
  )
}
