import { type GraphQLSchema, isAbstractType, isObjectType } from 'graphql'
import type { Log } from '../plugin.ts'

/**
 * Type resolvers must answer at once: compiled operations cannot wait for them. One that throws, or gives a promise, is
 * the same error for both executors, and the log says whose it is.
 */
export function guardTypeResolvers(schema: GraphQLSchema, log: Log): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue
    if (isAbstractType(type) && type.resolveType != null) {
      const { resolveType } = type
      type.resolveType = (value, context, info, abstract) => {
        const found = resolveType(value, context, info, abstract)
        return typeof found === 'object' && found !== null ? notAtOnce(type.name, 'resolveType', log) : found
      }
    }
    if (isObjectType(type) && type.isTypeOf != null) {
      const { isTypeOf } = type
      type.isTypeOf = (value, context, info) => {
        const is = isTypeOf(value, context, info)
        return typeof is === 'boolean' ? is : notAtOnce(type.name, 'isTypeOf', log) === undefined && false
      }
    }
  }
}

function notAtOnce(type: string, method: string, log: Log): undefined {
  log.error({ type, method }, 'a type resolver gave a promise; it must answer at once')
  return undefined
}
