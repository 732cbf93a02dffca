import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql'

const decimal = /^-?(?:0|[1-9][0-9]{0,99})$/
const cursor = /^[A-Za-z0-9_-]{1,512}$/

function refuse(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })
}

/**
 * Decodes `0x` and an even number of hex digits. The result may share its ArrayBuffer with other values: copy it
 * before transferring it to another thread.
 * @throws GraphQLError BAD_USER_INPUT
 */
export function parseBytes(value: unknown): Uint8Array {
  if (typeof value !== 'string' || value.charCodeAt(0) !== 48 || value.charCodeAt(1) !== 120) {
    throw refuse('Bytes must be a string of 0x and hex digits, such as "0x00ff".')
  }
  const bytes = Buffer.from(value.slice(2), 'hex')
  // The decoder stops at the first pair that is not hex, so a short result is the whole validation.
  if (bytes.length * 2 !== value.length - 2) {
    throw refuse('Bytes must have an even number of hex digits after 0x, and nothing else.')
  }
  return bytes
}

/** `0x` and lower-case hex. */
export function formatBytes(value: Uint8Array): string {
  return `0x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
}

function parseBigInt(value: unknown): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  if (typeof value === 'string' && decimal.test(value)) return BigInt(value)
  throw refuse('BigInt must be a string of decimal digits, such as "1000000000", of at most 100 digits.')
}

function formatBigInt(value: unknown): string {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value.toString()
  throw new TypeError(`A BigInt field resolved to ${typeof value}, not to a bigint or a safe integer.`)
}

function parseDateTime(value: unknown): Date {
  const date = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value) : undefined
  if (date === undefined || Number.isNaN(date.getTime())) {
    throw refuse('DateTime must be an ISO 8601 date and time, such as "2026-01-31T12:00:00Z".')
  }
  return date
}

function formatDateTime(value: unknown): string {
  if (value instanceof Date) return value.toISOString()
  throw new TypeError(`A DateTime field resolved to ${typeof value}, not to a Date.`)
}

function parseCursor(value: unknown): string {
  if (typeof value === 'string' && cursor.test(value)) return value
  throw refuse('A cursor must be exactly as the server gave it.')
}

/** JSON of outside bytes and big numbers: bytes as 0x-hex, bigints as decimal strings, dates as ISO 8601. */
export function toJson(value: unknown): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return formatBytes(value)
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value !== 'object') return null
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]))
}

function literal(node: ValueNode, variables: Readonly<Record<string, unknown>> | null | undefined): unknown {
  switch (node.kind) {
    case Kind.STRING:
    case Kind.BOOLEAN:
      return node.value
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value)
    case Kind.LIST:
      return node.values.map((item) => literal(item, variables))
    case Kind.OBJECT:
      return Object.fromEntries(node.fields.map((field) => [field.name.value, literal(field.value, variables)]))
    case Kind.VARIABLE:
      return variables?.[node.name.value]
    case Kind.ENUM:
      throw refuse('A JSON value has no bare words: quote it.')
    default:
      return null
  }
}

export const bytesScalar = new GraphQLScalarType<Uint8Array, string>({
  name: 'Bytes',
  description: 'Bytes as 0x and hex digits.',
  serialize(value) {
    if (value instanceof Uint8Array) return formatBytes(value)
    throw new TypeError(`A Bytes field resolved to ${typeof value}, not to a Uint8Array.`)
  },
  parseValue: parseBytes,
  parseLiteral: (node) => parseBytes(node.kind === Kind.STRING ? node.value : undefined),
})

export const bigIntScalar = new GraphQLScalarType<bigint, string>({
  name: 'BigInt',
  description: 'A whole number of any size as a decimal string. Amounts are in the smallest unit.',
  serialize: formatBigInt,
  parseValue: parseBigInt,
  // The digits are taken as written: a large literal would lose its end as a double.
  parseLiteral: (node) => parseBigInt(node.kind === Kind.INT || node.kind === Kind.STRING ? node.value : undefined),
})

export const dateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'A moment in ISO 8601, in UTC.',
  serialize: formatDateTime,
  parseValue: parseDateTime,
  parseLiteral: (node) => parseDateTime(node.kind === Kind.STRING ? node.value : undefined),
})

export const jsonScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  description: 'Any JSON value. Bytes inside it are 0x-hex, and whole numbers of any size may be decimal strings.',
  serialize: toJson,
  parseValue: (value) => value,
  parseLiteral: literal,
})

export const cursorScalar = new GraphQLScalarType<string, string>({
  name: 'Cursor',
  description: 'A place in a list or a stream. Opaque: pass it back as it came.',
  serialize: (value) => String(value),
  parseValue: parseCursor,
  parseLiteral: (node) => parseCursor(node.kind === Kind.STRING ? node.value : undefined),
})
