import type { z } from 'zod'

/**
 * Checks a value against an object schema, and besides refuses keys that the schema does not know, at any depth:
 * a misspelt key would else silently mean its default.
 *
 * @returns the value with defaults filled in if there is no problem; else every problem, with the path to its key
 */
export function schemaProblems<S extends z.ZodType>(
  schema: S,
  value: unknown,
): { readonly value: z.output<S> | undefined; readonly problems: readonly string[] } {
  const unknown = unknownKeys(schema, value, [])
  const parsed = schema.safeParse(value)
  if (parsed.success && unknown.length === 0) return { value: parsed.data, problems: [] }
  const invalid = parsed.error?.issues.map((issue) => describe(issue.path, issue.message)) ?? []
  return { value: undefined, problems: [...invalid, ...unknown] }
}

const describe = (path: readonly PropertyKey[], problem: string): string => {
  const text = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')
  return text === '' ? problem : `${text.replace(/^\./, '')}: ${problem}`
}

function unknownKeys(schema: z.core.$ZodType, value: unknown, path: readonly PropertyKey[]): readonly string[] {
  const { def } = narrow(schema)._zod
  switch (def.type) {
    case 'object': {
      if (!isRecord(value)) return []
      const { shape, catchall } = def
      return Object.entries(value).flatMap(([key, inner]) => {
        const known = Object.hasOwn(shape, key) ? shape[key] : undefined
        if (known !== undefined) return unknownKeys(known, inner, [...path, key])
        // A schema that lists its extras, or refuses them itself, has decided already.
        if (catchall !== undefined) return []
        return [describe([...path, key], `there is no such key; ${suggestion(key, Object.keys(shape))}`)]
      })
    }
    case 'array':
      return Array.isArray(value)
        ? value.flatMap((item, index) => unknownKeys(def.element, item, [...path, index]))
        : []
    case 'record':
      return isRecord(value)
        ? Object.entries(value).flatMap(([key, item]) => unknownKeys(def.valueType, item, [...path, key]))
        : []
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return unknownKeys(def.innerType, value, path)
    case 'pipe':
      return unknownKeys(def.in, value, path)
    case 'lazy':
      return unknownKeys(def.getter(), value, path)
    default:
      return []
  }
}

const narrow = (schema: z.core.$ZodType): z.core.$ZodTypes => schema as z.core.$ZodTypes

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function suggestion(key: string, known: readonly string[]): string {
  const near = known.find((name) => distance(name.toLowerCase(), key.toLowerCase()) <= 2)
  if (near !== undefined) return `did you mean ${near}?`
  return known.length === 0 ? 'it takes no keys' : `known keys are ${known.join(', ')}`
}

/** How many letters must be added, removed or changed (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries())
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (letter === other ? 0 : 1)))
    row = next
  }
  return row.at(-1)!
}
