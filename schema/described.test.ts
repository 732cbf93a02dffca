import { readFileSync } from 'node:fs'
import {
  buildSchema,
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql'
import { expect, it } from 'vitest'

interface Described {
  readonly name: string
  readonly description?: string | null | undefined
}

/** Whatever clients can name of a type, with the name by which people find it. */
function* partsOf(type: GraphQLNamedType): Generator<readonly [name: string, part: Described]> {
  yield [type.name, type]
  if (isEnumType(type)) for (const value of type.getValues()) yield [`${type.name}.${value.name}`, value]
  if (isInputObjectType(type))
    for (const field of Object.values(type.getFields())) yield [`${type.name}.${field.name}`, field]
  if (!isObjectType(type) && !isInterfaceType(type)) return
  for (const field of Object.values(type.getFields())) {
    yield [`${type.name}.${field.name}`, field]
    for (const arg of field.args) yield [`${type.name}.${field.name}(${arg.name})`, arg]
  }
}

it('says of every type, field, argument and value of the schema what it is', () => {
  const schema = buildSchema(readFileSync(new URL('schema.graphql', import.meta.url), 'utf8'))
  const own = Object.values(schema.getTypeMap()).filter(
    (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
  )
  const parts = own.flatMap((type) => [...partsOf(type)])
  expect(parts.length).toBeGreaterThan(400)
  expect(parts.filter(([, { description }]) => !description?.trim()).map(([name]) => name)).toEqual([])
})
