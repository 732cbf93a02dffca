import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  getLocation,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql'
import { pluginOf } from '../../schema/index.ts'

/**
 * The plugin whose field an error comes from; undefined if that cannot be told. Both executors say where in the document
 * the field stands; this walks there, so it is for errors only.
 */
export function ownerAt(
  schema: GraphQLSchema,
  document: DocumentNode | undefined,
  { locations }: Pick<GraphQLError, 'locations'>,
): string | undefined {
  const place = locations?.[0]
  if (document === undefined || place === undefined) return undefined
  const types = new TypeInfo(schema)
  let owner: string | undefined
  visit(
    document,
    visitWithTypeInfo(types, {
      Field({ loc }) {
        if (loc === undefined) return
        const { line, column } = getLocation(loc.source, loc.start)
        const field = types.getFieldDef()
        if (line === place.line && column === place.column && field != null) owner = pluginOf(field)
      },
    }),
  )
  return owner
}
