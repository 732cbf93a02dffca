import type { ExecutionResult } from 'graphql'

/** How an operation ended, in one word: `ok`, or the code of its first error. */
export function outcomeOf({ errors }: ExecutionResult): string {
  const code = errors?.[0]?.extensions?.code
  return typeof code === 'string' ? code : errors === undefined || errors.length === 0 ? 'ok' : 'UNKNOWN'
}
