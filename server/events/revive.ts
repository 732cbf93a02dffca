import { z } from 'zod'

type Revive = (value: unknown) => unknown

/**
 * CBOR has one kind of integer, so a small bigint comes back as a number. This gives the function that makes bigints
 * again of what a topic's schema says is one, or undefined if the schema has none. Schemas that transform are left
 * alone: what they stored need not look like what they take.
 */
export function reviver(schema: unknown): Revive | undefined {
  if (schema instanceof z.ZodBigInt) return (value) => (typeof value === 'number' ? BigInt(value) : value)
  if (schema instanceof z.ZodObject) return object(schema.shape)
  if (schema instanceof z.ZodArray) return list(reviver(schema.element))
  if (schema instanceof z.ZodRecord) return record(reviver(schema.valueType))
  if (schema instanceof z.ZodTuple) return tuple(schema.def.items.map(reviver))
  if (schema instanceof z.ZodUnion) return union(schema.options)
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return reviver(schema.unwrap())
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodReadonly) return reviver(schema.def.innerType)
  return undefined
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)

function object(shape: Readonly<Record<string, unknown>>): Revive | undefined {
  const fields = Object.entries(shape).flatMap(([key, field]) => {
    const revive = reviver(field)
    return revive === undefined ? [] : [[key, revive] as const]
  })
  if (fields.length === 0) return undefined
  return (value) => {
    if (!isRecord(value)) return value
    const revived = { ...value }
    for (const [key, revive] of fields) if (Object.hasOwn(value, key)) revived[key] = revive(value[key])
    return revived
  }
}

function list(revive: Revive | undefined): Revive | undefined {
  if (revive === undefined) return undefined
  return (value) => (Array.isArray(value) ? value.map(revive) : value)
}

function record(revive: Revive | undefined): Revive | undefined {
  if (revive === undefined) return undefined
  return (value) =>
    isRecord(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revive(item)])) : value
}

function tuple(items: readonly (Revive | undefined)[]): Revive | undefined {
  if (items.every((item) => item === undefined)) return undefined
  return (value) => (Array.isArray(value) ? value.map((item, n) => items[n]?.(item) ?? item) : value)
}

function union(options: readonly z.core.$ZodType[]): Revive | undefined {
  const choices = options.map((schema) => ({ schema, revive: reviver(schema) ?? ((value: unknown) => value) }))
  if (options.every((schema) => reviver(schema) === undefined)) return undefined
  return (value) => {
    for (const { schema, revive } of choices) {
      const revived = revive(value)
      if (z.safeParse(schema, revived).success) return revived
    }
    return value
  }
}
