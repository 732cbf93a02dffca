import { isFenced } from '../../../server/plugin.ts'

/** What went wrong, as it is told to another process. */
export interface Explanation {
  readonly code: string
  readonly message: string
}

/** Code and message of anything that was thrown; FENCED whenever a newer leader is the reason. */
export function explain(error: unknown): Explanation {
  const message = error instanceof Error ? error.message : String(error)
  if (isFenced(error)) return { code: 'FENCED', message: `another node makes the blocks: ${message}` }
  return { code: error instanceof Error && 'code' in error ? String(error.code) : 'SHARD_FAULT', message }
}
