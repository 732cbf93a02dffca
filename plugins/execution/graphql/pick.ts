/**
 * For tests: what is at a path of an answer, like `blocks.edges.0.node`; `*` stands for each item of a list and gives a
 * list.
 */
export function pick(value: unknown, path: string): unknown {
  const dot = path.indexOf('.')
  const [key, rest] = dot < 0 ? [path, ''] : [path.slice(0, dot), path.slice(dot + 1)]
  if (path === '') return value
  if (key === '*') return Array.isArray(value) ? value.map((item) => pick(item, rest)) : undefined
  if (typeof value !== 'object' || value === null) return undefined
  return pick(Object.entries(value).find(([name]) => name === key)?.[1], rest)
}

/** The same where a text is expected. */
export function pickText(value: unknown, path: string): string {
  const text = pick(value, path)
  if (typeof text === 'string') return text
  throw new TypeError(`there is no text at ${path}`)
}
