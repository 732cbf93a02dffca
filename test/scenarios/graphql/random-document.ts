import {
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql'
import type { Random } from '../random.ts'

/** A request as a client may make it up, right or wrong. */
export interface RandomRequest {
  readonly query: string
  readonly variables: Readonly<Record<string, unknown>>
}

const MAX_DEPTH = 5
/** What takes time, or differs each time. */
const LEFT_OUT = new Set(['slow', '__schema', '__type'])

/** Makes up documents that mostly fit a schema, with values that mostly fit their types. */
export class DocumentMaker {
  readonly #schema: GraphQLSchema
  readonly #random: Random
  #variables: Record<string, { readonly type: string; readonly value: unknown }> = {}
  #fragments: string[] = []

  constructor(schema: GraphQLSchema, random: Random) {
    this.#schema = schema
    this.#random = random
  }

  make(): RandomRequest {
    const random = this.#random
    this.#variables = {}
    this.#fragments = []
    const isMutation = random.percent(20)
    const root = isMutation ? this.#schema.getMutationType() : this.#schema.getQueryType()
    if (root == null) throw new TypeError('the schema has no such root')
    const selection = this.#selection(root, 0)
    const declared = Object.entries(this.#variables).map(([name, { type }]) => `$${name}: ${type}`)
    const head = declared.length > 0 ? ` Made(${declared.join(', ')})` : ''
    const query = `${isMutation ? 'mutation' : 'query'}${head} ${selection} ${this.#fragments.join(' ')}`
    const variables = Object.fromEntries(
      Object.entries(this.#variables).flatMap(([name, { value }]) => (value === undefined ? [] : [[name, value]])),
    )
    return { query: random.percent(15) ? this.#spoil(query) : query, variables }
  }

  #selection(type: GraphQLCompositeType, depth: number): string {
    const random = this.#random
    const parts = Array.from({ length: random.between(1, 3) }, () => this.#part(type, depth))
    if (random.percent(15)) parts.push('__typename')
    return `{ ${parts.join(' ')} }`
  }

  #part(type: GraphQLCompositeType, depth: number): string {
    const random = this.#random
    if (isUnionType(type) || (isAbstractType(type) && random.percent(40))) {
      const on = random.pick(this.#schema.getPossibleTypes(type))
      return `... on ${on.name} ${this.#selection(on, depth + 1)}`
    }
    if (isObjectType(type) && depth > 0 && random.percent(10)) {
      const name = `F${this.#fragments.length}`
      // Its place is kept while what is in it is made up.
      const at = this.#fragments.push('') - 1
      this.#fragments[at] = `fragment ${name} on ${type.name} ${this.#selection(type, depth + 1)}`
      return `...${name}`
    }
    return this.#field(type, depth)
  }

  #field(type: GraphQLCompositeType, depth: number): string {
    const random = this.#random
    if (isUnionType(type)) return '__typename'
    const fields = Object.values(type.getFields()).filter(({ name }) => !LEFT_OUT.has(name))
    const flat = fields.filter((field) => !isCompositeType(getNamedType(field.type)))
    const candidates = depth >= MAX_DEPTH ? flat : fields
    if (candidates.length === 0) return '__typename'
    const field = random.pick(candidates)
    const alias = random.percent(40) ? `a${random.below(6)}: ` : ''
    const args = field.args.flatMap((arg) => this.#argument(arg))
    const inner = getNamedType(field.type)
    const selection = isCompositeType(inner) ? ` ${this.#selection(inner, depth + 1)}` : ''
    return `${alias}${field.name}${args.length > 0 ? `(${args.join(', ')})` : ''}${this.#directive()}${selection}`
  }

  #directive(): string {
    const random = this.#random
    if (!random.percent(10)) return ''
    const name = random.pick(['include', 'skip'])
    if (random.percent(50)) return ` @${name}(if: ${random.percent(50)})`
    return ` @${name}(if: ${this.#variable('Boolean!', random.percent(90) ? random.percent(50) : 'perhaps')})`
  }

  #argument({ name, type }: GraphQLArgument): string[] {
    const random = this.#random
    if (!isNonNullType(type) && random.percent(50)) return []
    if (random.percent(3)) return []
    const value = name === 'ms' ? random.below(3) : this.#value(type)
    if (random.percent(50)) return [`${name}: ${this.#variable(String(type), value)}`]
    return [`${name}: ${literal(value, type)}`]
  }

  #variable(type: string, value: unknown): string {
    const name = `v${Object.keys(this.#variables).length}`
    this.#variables[name] = { type, value: this.#random.percent(3) ? undefined : value }
    return `$${name}`
  }

  #value(type: GraphQLInputType): unknown {
    const random = this.#random
    if (random.percent(5)) return random.pick([null, 7, 'odd', [], {}, true, 1.5])
    if (isNonNullType(type)) return this.#value(type.ofType)
    if (isListType(type)) {
      const { ofType } = type
      return Array.from({ length: random.below(4) }, () => this.#value(ofType))
    }
    if (isEnumType(type)) return random.pick(type.getValues()).name
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter((field) => isNonNullType(field.type) || random.percent(60))
      return Object.fromEntries(fields.map((field) => [field.name, this.#value(field.type)]))
    }
    switch (type.name) {
      case 'Int':
        return random.pick([0, 1, 3, 10, 11, -1, 2 ** 31 - 1, 2 ** 31])
      case 'Float':
        return random.pick([0, 1.5, -2, 1e300])
      case 'Boolean':
        return random.percent(50)
      case 'Bytes':
        return random.pick(['0x', '0x00ff', '0xAB', '0x0', 'bytes'])
      case 'BigInt':
        return random.pick(['0', '123456789012345678901234567890', '-5', '007', 12])
      case 'DateTime':
        return random.pick(['2026-01-31T12:00:00Z', 'yesterday'])
      case 'Cursor':
        return random.pick(['abc', 'no cursor'])
      default:
        return random.pick(['a', 'b', 'c', 'g', 'missing', 'text with "quotes" and \n', ''])
    }
  }

  /** Takes out, doubles or replaces a piece of the text. */
  #spoil(text: string): string {
    const random = this.#random
    const at = random.below(text.length)
    const length = random.between(1, 8)
    const piece = random.pick([
      '',
      text.slice(at, at + length).repeat(2),
      '{',
      '}',
      '$v9',
      '...F0',
      '\u0000',
      '"',
      '@skip',
    ])
    return text.slice(0, at) + piece + text.slice(at + length)
  }
}

/** A value as GraphQL writes it: names of enums and keys stand without quotes. */
function literal(value: unknown, type: GraphQLInputType): string {
  const inner = isNonNullType(type) ? type.ofType : type
  if (isListType(inner) && Array.isArray(value))
    return `[${value.map((item) => literal(item, inner.ofType)).join(', ')}]`
  if (isEnumType(inner) && typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((item) => JSON.stringify(item)).join(', ')}]`
  const fields = isInputObjectType(inner) ? inner.getFields() : {}
  const entries = Object.entries(value).map(([key, item]) => {
    const field = fields[key]
    return `${key}: ${field === undefined ? JSON.stringify(item) : literal(item, field.type)}`
  })
  return `{${entries.join(', ')}}`
}
