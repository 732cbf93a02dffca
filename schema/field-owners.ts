import {
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNullableType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
} from 'graphql'
import { apiError } from './errors.ts'

/** Whose a type or field is, as `extensions.plugin` says: a plugin's name, or `core`. */
export const pluginOf = ({ extensions }: Pick<GraphQLField<unknown, unknown>, 'extensions'>): string | undefined =>
  typeof extensions.plugin === 'string' ? extensions.plugin : undefined

/** Writes into each type and field whose it is, for messages that name who is to blame. */
export function noteOwners(schema: GraphQLSchema, ownerOf: (type: string, field?: string) => string): void {
  for (const type of ownedTypes(schema)) {
    type.extensions = { ...type.extensions, plugin: ownerOf(type.name) }
    for (const field of fieldsOf(type))
      field.extensions = { ...field.extensions, plugin: ownerOf(type.name, field.name) }
  }
}

/**
 * Takes a plugin's fields out of service, in a schema that nothing was run on yet: each answers PLUGIN_FAILED at its own
 * path, and where it stands in somebody else's type it becomes nullable, so that nothing else is nulled with it.
 */
export function putOutOfService(schema: GraphQLSchema, plugin: string): void {
  const refuse = (): never => {
    throw outOfService(plugin)
  }
  for (const type of ownedTypes(schema)) {
    const isOwn = pluginOf(type) === plugin
    if (isOwn) type.extensions = { ...type.extensions, outOfService: true }
    for (const field of fieldsOf(type)) {
      if (pluginOf(field) !== plugin) continue
      field.resolve = refuse
      if (field.subscribe !== undefined) field.subscribe = refuse
      if (!isOwn) field.type = getNullableType(field.type)
    }
  }
}

/** @throws GraphQLError PLUGIN_FAILED if the plugin that the type is of does not serve */
export function checkInService(type: GraphQLNamedType): void {
  if (type.extensions.outOfService === true) throw outOfService(pluginOf(type) ?? 'core')
}

const outOfService = (plugin: string) =>
  apiError(
    'PLUGIN_FAILED',
    `Plugin "${plugin}" is out of service; the rest of the node is not. plugins { name error } tells why.`,
    { plugin },
  )

const ownedTypes = (schema: GraphQLSchema): GraphQLNamedType[] =>
  Object.values(schema.getTypeMap()).filter((type) => !isIntrospectionType(type))

const fieldsOf = (type: GraphQLNamedType): GraphQLField<unknown, unknown>[] =>
  isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : []
