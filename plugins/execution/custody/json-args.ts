import { type CborMap, type CborValue, CodecError, encode, fromHex } from '../../../protocol/index.ts'
import { apiError } from '../../../schema/index.ts'

const MAX_NESTING = 24

/**
 * A call's arguments from JSON. What JSON has no form for is an object of one key: `{"$bytes": "0x..."}`, and
 * `{"$int": "123"}` for whole numbers beyond 2^53.
 * @throws GraphQLError BAD_USER_INPUT
 */
export function argsFromJson(json: unknown): CborMap {
  if (json === null || json === undefined) return {}
  if (typeof json !== 'object' || Array.isArray(json)) throw bad('`args` must be an object')
  const args = mapFrom(json, 0)
  try {
    encode(args)
  } catch (error) {
    if (error instanceof CodecError) throw bad(error.message)
    throw error
  }
  return args
}

function valueFrom(json: unknown, depth: number): CborValue {
  if (depth > MAX_NESTING) throw bad(`nested deeper than ${MAX_NESTING}`)
  if (json === null || typeof json === 'boolean' || typeof json === 'string') return json
  if (typeof json === 'number') {
    if (Number.isSafeInteger(json)) return json
    throw bad(`${json} is no whole number that JSON holds exactly; write {"$int": "..."} for large ones`)
  }
  if (Array.isArray(json)) return json.map((item: unknown) => valueFrom(item, depth + 1))
  if (typeof json !== 'object') throw bad(`${typeof json} is no value`)
  const [first, ...rest] = Object.entries(json)
  if (first !== undefined && rest.length === 0) {
    const [key, text]: [string, unknown] = first
    if (key === '$bytes') return bytesFrom(text)
    if (key === '$int') return intFrom(text)
  }
  return mapFrom(json, depth)
}

function mapFrom(json: object, depth: number): CborMap {
  // Without a prototype, so that no name of a key means anything.
  const map: Record<string, CborValue> = Object.create(null)
  for (const [key, value] of Object.entries(json)) map[key] = valueFrom(value, depth + 1)
  return { ...map }
}

function bytesFrom(text: unknown): Uint8Array {
  if (typeof text === 'string' && /^0x([0-9a-f]{2})*$/i.test(text)) return fromHex(text)
  throw bad('$bytes takes 0x and hex digits')
}

function intFrom(text: unknown): bigint {
  if (typeof text === 'string' && /^-?(0|[1-9][0-9]{0,76})$/.test(text)) return BigInt(text)
  throw bad('$int takes decimal digits')
}

const bad = (what: string) => apiError('BAD_USER_INPUT', `The arguments of a call cannot be used: ${what}.`)
